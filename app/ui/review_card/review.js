// Messages nobody was sure about, decided by one key press each. The next one is shown at once from what was fetched
// beforehand; what was decided is kept in the browser's storage until Python says that it is saved, so closing the
// tab loses nothing. Texts of customers only ever become text nodes.

const BATCH_MS = 250;         // decisions made within this time go together
const RESEND_MS = 10000;      // without an answer a batch is sent again: Python knows what it has applied already
const UNDO_DEPTH = 50;
const IDLE_MS = 60000;        // without a key or a move of the mouse, time does not count as looking
const FETCH_BELOW = 5;        // messages left before more are asked for

export default function ({ parentElement, data, setTriggerValue }) {
  const stage = parentElement.querySelector("#stage");
  const review = (stage.review ??= new Review(stage, data.storage));
  review.tell = setTriggerValue;
  review.update(data);
  return () => { review.stop(); delete stage.review; };
}

class Review {
  constructor(stage, storage) {
    Object.assign(this, {
      stage, storage, queue: [], history: [], notices: [], alike: null, panel: null, inFlight: null, acked: new Set(),
      mode: "confirm", wrong: new Set(), cursor: 0, chosen: {}, activeMs: 0, seconds: [], saved: 0,
    });
    this.outbox = JSON.parse(localStorage.getItem(storage) || "[]");
    this.onKey = event => this.key(event);
    this.onMove = () => this.touched();
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("pointermove", this.onMove);
    this.clock = setInterval(() => this.tick(), 500);
    this.touched();
  }

  stop() {
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("pointermove", this.onMove);
    clearInterval(this.clock);
    clearTimeout(this.timer);
  }

  // ---- what Python says

  update(data) {
    this.data = data;
    for (const ack of data.acks) {
      if (this.acked.has(ack.n)) continue;
      this.acked.add(ack.n);
      const at = this.outbox.findIndex(op => op.n === ack.n);
      if (at < 0) continue;
      const [op] = this.outbox.splice(at, 1);
      if (ack.error) this.notices.push(ack.error);
      else if (op.op === "decide") this.saved += 1;
      if (ack.alike.length) this.alike = { category: ack.category, items: ack.alike.filter(one => !this.isPending(one.id)) };
    }
    this.store();
    if (this.inFlight && !this.outbox.some(op => this.inFlight.ids.has(op.n))) this.inFlight = null;
    const current = this.queue[0];
    const fresh = data.items.filter(item => !this.isPending(item.id) && item.id !== current?.id);
    this.queue = current && !this.isPending(current.id) ? [current, ...fresh] : fresh;
    this.sweepItems = (data.sweep?.items || []).filter(item => !this.isPending(item.id));
    this.render();
    this.flush();
  }

  isPending(id) { return this.outbox.some(op => op.id === id && op.op !== "undo"); }

  // ---- what the person does

  decide(category, { spam = false } = {}) {
    const item = this.queue[0];
    if (!item || !this.data.may) return;
    const op = {
      op: item.again ? "second" : "decide", n: crypto.randomUUID(), id: item.id, category, spam, seconds: this.lap(),
      priority: this.chosen.priority ?? item.priority, sentiment: this.chosen.sentiment ?? item.sentiment,
      corrects: item.is_check ? null : item.suggestion,
    };
    if (item.again) { delete op.spam; delete op.seconds; delete op.corrects; }
    this.remember([{ op, item }]);
    this.leave();
  }

  later(note) {
    if (!this.queue[0].again) this.put({ op: "later", n: crypto.randomUUID(), id: this.queue[0].id, note });
    this.leave();
  }

  ask(person, note) {
    if (!this.queue[0].again) this.put({ op: "ask", n: crypto.randomUUID(), id: this.queue[0].id, person, note });
    this.leave();
  }

  leave() {
    this.queue.shift();
    this.chosen = {};
    this.panel = null;
    this.alike = null;
    this.render();
  }

  applyAlike() {
    const { category, items } = this.alike;
    const ids = new Set(items.map(one => one.id));
    const all = items.filter(one => !this.wrong.has(one.id));
    this.remember(all.map(one => ({ op: this.plain(one.id, category, 0), item: this.queue.find(item => item.id === one.id) })));
    this.queue = this.queue.filter(item => !ids.has(item.id) || this.wrong.has(item.id));
    this.alike = null;
    this.wrong.clear();
    this.render();
  }

  confirmSweep() {
    const right = this.sweepItems.filter(item => !this.wrong.has(item.id));
    if (!right.length) return;
    const each = this.lap() / right.length;
    const category = this.data.sweep.category;
    this.remember(right.map(item => ({ op: this.plain(item.id, category, each), item: null })));
    this.sweepItems = this.sweepItems.filter(item => this.wrong.has(item.id));
    this.wrong.clear();
    this.cursor = 0;
    this.render();
  }

  plain(id, category, seconds) {
    return { op: "decide", n: crypto.randomUUID(), id, category, spam: false, seconds, priority: null, sentiment: null, corrects: null };
  }

  undo() {
    const last = this.history.pop();
    if (!last) return;
    for (const { op, item } of last) {
      const unsent = this.outbox.indexOf(op);
      if (unsent >= 0 && !this.inFlight?.ids.has(op.n)) this.outbox.splice(unsent, 1);
      else if (op.op === "decide") this.put({ op: "undo", n: crypto.randomUUID(), id: op.id });
      if (item) this.queue = [item, ...this.queue.filter(other => other.id !== item.id)];
    }
    this.store();
    this.lap();
    this.render();
  }

  remember(group) {
    if (!group.length) return;
    this.history = [...this.history, group].slice(-UNDO_DEPTH);
    for (const { op } of group) { this.put(op); if (op.seconds) this.seconds.push(op.seconds); }
  }

  // ---- saving

  put(op) {
    this.outbox.push(op);
    this.store();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), BATCH_MS);
  }

  store() { localStorage.setItem(this.storage, JSON.stringify(this.outbox)); }

  flush() {
    if (!this.outbox.length || this.inFlight) return;
    this.inFlight = { ids: new Set(this.outbox.map(op => op.n)), at: Date.now() };
    this.tell("ops", this.outbox.map(op => ({ ...op })));
  }

  tick() {
    if (document.visibilityState === "visible" && Date.now() - this.touchedAt < IDLE_MS) this.activeMs += 500;
    if (this.inFlight && Date.now() - this.inFlight.at > RESEND_MS) { this.inFlight = null; this.flush(); }
  }

  touched() { this.touchedAt = Date.now(); }

  lap() {
    const seconds = Math.max(this.activeMs, 100) / 1000;
    this.activeMs = 0;
    return seconds;
  }

  // ---- keys

  key(event) {
    this.touched();
    if (!this.stage.isConnected || !this.data.may) return;
    const typing = event.composedPath().some(el => ["INPUT", "TEXTAREA", "SELECT"].includes(el.tagName) || el.isContentEditable);
    if (typing) { if (event.key === "Escape" && this.panel) { this.panel = null; this.render(); } return; }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === "z") this.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.target !== document.body && key === "Enter" && event.composedPath()[0].tagName === "BUTTON") return;
    else if (!(this.mode === "sweep" ? this.sweepKey(key) : this.confirmKey(key))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  confirmKey(key) {
    if (this.panel) return this.panelKey(key);
    const item = this.queue[0];
    if (key === "u") return this.undo(), true;
    if (key === "?") return this.open("help");
    if (key === "f" && this.alike) return this.applyAlike(), true;
    if (!item) return false;
    if (key === "Enter") return item.suggestion && !item.is_check ? (this.decide(item.suggestion), true) : false;
    if (key >= "1" && key <= "9") return this.pick(item.likeliest[Number(key) - 1]);
    if (key === "0") return this.decide(null), true;
    if (key === "x") return this.decide(null, { spam: true }), true;
    if (key === "l") return this.open("later");
    if (key === "k") return this.open("ask");
    if (key === "/") return this.open("search");
    if (key === "p") return this.cycle("priority", this.data.priorities);
    if (key === "m") return this.cycle("sentiment", this.data.sentiments);
    return this.pick(this.data.categories.find(category => category.letter === key)?.key);
  }

  pick(category) { if (category) this.decide(category); return Boolean(category); }

  panelKey(key) {
    if (key === "Escape") return this.open(null);
    if (this.panel === "later" && key >= "1" && key <= "3") return this.later(this.data.reasons[Number(key) - 1].key), true;
    if (this.panel === "later" && key === "Enter") return this.later(""), true;
    const person = this.panel === "ask" && this.data.people[Number(key) - 1];
    if (person) return this.ask(person.id, ""), true;
    return this.panel === "help" ? this.open(null) : false;
  }

  sweepKey(key) {
    const last = this.sweepItems.length - 1;
    if (key === "u") this.undo();
    else if (key === "ArrowDown" || key === "j") this.cursor = Math.min(last, this.cursor + 1);
    else if (key === "ArrowUp" || key === "k") this.cursor = Math.max(0, this.cursor - 1);
    else if (key === "x" || key === " ") this.toggle(this.sweepItems[this.cursor]?.id);
    else if (key === "Enter") return this.confirmSweep(), true;
    else return false;
    this.render();
    this.stage.querySelector(".row.at")?.scrollIntoView({ block: "nearest" });
    return true;
  }

  toggle(id) { if (id && !this.wrong.delete(id)) this.wrong.add(id); this.render(); }

  open(panel) { this.panel = panel; this.render(); this.stage.querySelector(".panel input")?.focus(); return true; }

  cycle(kind, options) {
    const now = options.findIndex(one => one.key === (this.chosen[kind] ?? this.queue[0][kind]));
    this.chosen[kind] = options[(now + 1) % options.length].key;
    this.render();
    return true;
  }

  // ---- the screen

  render() {
    const { labels } = this.data;
    this.stage.replaceChildren(
      el("div", "bar", el("div", "modes", this.modeButton("confirm", labels.one_by_one), this.modeButton("sweep", labels.sweep)),
        el("span", "count", this.counted()), el("span", "grow"), this.tempo(),
        this.button(labels.undo, "U", () => this.undo(), "quiet", !this.history.length),
        this.button("?", "", () => this.open(this.panel === "help" ? null : "help"), "quiet")),
      ...this.notices.map((text, at) => el("div", "notice", text, this.button("×", "", () => { this.notices.splice(at, 1); this.render(); }, "quiet"))),
      this.alike ? this.alikeBanner() : "",
      this.panel === "help" ? this.help() : "",
      this.mode === "sweep" ? this.sweepView() : this.confirmView(),
    );
    if (this.mode === "confirm" && this.queue.length < FETCH_BELOW) this.flush();
  }

  waiting() { return Math.max(0, this.data.waiting - this.outbox.filter(op => op.op === "decide").length); }

  counted() {
    const waiting = this.waiting(), { labels, elsewhere } = this.data;
    const said = (waiting === 1 ? labels.waits_one : labels.waits).replace("{n}", waiting.toLocaleString(this.data.lang));
    return elsewhere ? `${said} · ${labels.elsewhere.replace("{n}", elsewhere)}` : said;
  }

  tempo() {
    if (this.seconds.length < 3) return el("span", "tempo", this.outbox.length ? this.data.labels.saving : "");
    const sorted = [...this.seconds].sort((a, b) => a - b), median = sorted[Math.floor(sorted.length / 2)];
    return el("span", "tempo", this.data.labels.tempo.replace("{n}", this.seconds.length).replace("{s}", median.toFixed(1)));
  }

  modeButton(mode, label) {
    const button = this.button(label, "", () => {
      this.mode = mode;
      this.lap();
      this.render();
      this.tell("sweep", mode === "sweep" ? this.data.suggestions[0]?.key ?? "" : "");
    }, this.mode === mode ? "on" : "");
    button.setAttribute("aria-pressed", this.mode === mode);
    return button;
  }

  confirmView() {
    const item = this.queue[0], { labels } = this.data;
    if (!item) return this.emptyView();
    return el("div", "sides", this.message(item), this.data.may ? this.decision(item) : el("div", "decision", labels.may_not));
  }

  emptyView() {
    const { labels, elsewhere } = this.data, more = this.waiting() - elsewhere;
    const [title, text] = more > 0 ? [labels.loading, ""] : elsewhere ? [labels.with_others, labels.with_others_more] : [labels.all_done, labels.all_done_more];
    return el("div", "empty", el("h3", "", title), el("p", "", text));
  }

  message(item) {
    const { labels } = this.data;
    const card = el("article", "message",
      el("header", "", el("b", "", item.contact), el("span", "dim", `${item.channel} · ${item.ago}`),
        item.asked_by ? el("span", "tag", labels.asks.replace("{who}", item.asked_by)) : ""),
      ...item.earlier.map(text => el("p", "earlier", text || "–")),
      el("p", "text", item.text || labels.no_text));
    card.setAttribute("aria-live", "polite");
    if (item.note) card.append(el("p", "note", item.note));
    if (item.attachments) card.append(el("p", "dim", labels.attachments.replace("{n}", item.attachments)));
    const why = el("div", "why", el("span", "dim", labels.why), el("span", "", item.is_check ? labels.check : item.reason));
    if (!item.is_check) for (const line of item.because) why.append(el("span", "dim", line));
    const link = el("a", "", labels.everything);
    link.href = `${this.data.inbox}?message=${item.id}`;
    link.target = "_blank";
    return el("section", "left", card, why, link);
  }

  decision(item) {
    const { labels, categories } = this.data, name = key => categories.find(one => one.key === key)?.name ?? key;
    const panel = el("section", "decision");
    const shown = new Set();
    if (item.suggestion && !item.is_check) {
      shown.add(item.suggestion);
      const sure = item.sure ? ` · ${item.sure}` : "";
      panel.append(this.button(name(item.suggestion) + sure, "↵", () => this.decide(item.suggestion), "primary", false, "confirm"));
    }
    const likely = el("div", "likely");
    item.likeliest.slice(0, 9).forEach((key, at) => {
      if (shown.has(key)) return;
      shown.add(key);
      likely.append(this.button(name(key), String(at + 1), () => this.decide(key), "", false, `decide-${key}`));
    });
    const others = el("div", "others", ...categories.filter(one => !shown.has(one.key)).map(one =>
      this.button(one.name, one.letter.toUpperCase(), () => this.decide(one.key), "small", false, `decide-${one.key}`)));
    if (likely.children.length) panel.append(likely);
    panel.append(others, this.segments("priority", labels.priority, "P", this.data.priorities, item),
      this.segments("sentiment", labels.sentiment, "M", this.data.sentiments, item),
      el("div", "actions",
        this.button(labels.nothing, "0", () => this.decide(null), "quiet", false, "decide-nothing"),
        this.button(labels.spam, "X", () => this.decide(null, { spam: true }), "quiet"),
        this.button(labels.later, "L", () => this.open("later"), "quiet"),
        this.data.people.length ? this.button(labels.ask, "K", () => this.open("ask"), "quiet") : "",
        this.button(labels.search, "/", () => this.open("search"), "quiet")));
    if (this.panel === "later") panel.append(this.laterPanel());
    if (this.panel === "ask") panel.append(this.askPanel());
    if (this.panel === "search") panel.append(this.searchPanel());
    return panel;
  }

  segments(kind, label, key, options, item) {
    const now = this.chosen[kind] ?? item[kind];
    return el("div", "segments", el("span", "dim", label), el("kbd", "", key), ...options.map(one => {
      const button = this.button(one.name, "", () => { this.chosen[kind] = now === one.key ? null : one.key; this.render(); }, now === one.key ? "on small" : "small", false, `${kind}-${one.key}`);
      button.setAttribute("aria-pressed", now === one.key);
      return button;
    }));
  }

  laterPanel() {
    const { labels, reasons } = this.data;
    return el("div", "panel", el("b", "", labels.later_why),
      ...reasons.map((one, at) => this.button(one.name, String(at + 1), () => this.later(one.key), "small")),
      this.button(labels.no_reason, "↵", () => this.later(""), "small"));
  }

  askPanel() {
    const note = el("input");
    note.placeholder = this.data.labels.ask_note;
    note.maxLength = 500;
    return el("div", "panel", el("b", "", this.data.labels.ask_whom), note,
      ...this.data.people.map((one, at) => this.button(one.name, at < 9 ? String(at + 1) : "", () => this.ask(one.id, note.value), "small")));
  }

  searchPanel() {
    const input = el("input"), found = el("div", "others");
    input.placeholder = this.data.labels.search_hint;
    const list = () => this.data.categories.filter(one => `${one.name} ${one.key} ${one.description}`.toLowerCase().includes(input.value.toLowerCase())).slice(0, 8);
    const draw = () => found.replaceChildren(...list().map((one, at) => this.button(one.name, at ? "" : "↵", () => this.decide(one.key), "small")));
    input.addEventListener("input", draw);
    input.addEventListener("keydown", event => { if (event.key === "Enter" && list().length) { event.stopPropagation(); this.decide(list()[0].key); } });
    draw();
    return el("div", "panel", input, found);
  }

  alikeBanner() {
    const { labels, categories } = this.data, { items, category } = this.alike;
    const name = categories.find(one => one.key === category)?.name ?? category;
    const right = items.filter(one => !this.wrong.has(one.id)).length;
    return el("details", "alike",
      el("summary", "", labels.alike.replace("{n}", items.length).replace("{category}", name),
        this.button(labels.apply.replace("{n}", right), "F", event => { event.preventDefault(); this.applyAlike(); }, "small primary", !right)),
      ...items.map(one => this.row(one, false)));
  }

  sweepView() {
    const { labels, suggestions, sweep } = this.data;
    const choices = el("div", "others", ...suggestions.map(one => this.button(`${one.name} · ${one.count}`, "", () => { this.wrong.clear(); this.cursor = 0; this.tell("sweep", one.key); }, sweep?.category === one.key ? "on small" : "small", false, `sweep-${one.key}`)));
    if (!suggestions.length) return el("div", "empty", el("h3", "", labels.nothing_to_sweep), el("p", "", labels.nothing_to_sweep_more));
    const right = this.sweepItems.filter(item => !this.wrong.has(item.id)).length;
    return el("div", "sweep", choices,
      el("div", "bar", el("span", "dim", labels.sweep_how), el("span", "grow"),
        this.button(labels.confirm_n.replace("{n}", right), "↵", () => this.confirmSweep(), "primary", !right, "confirm-sweep")),
      el("div", "rows", ...this.sweepItems.map((item, at) => this.row(item, at === this.cursor))));
  }

  row(item, isAt) {
    const row = el("label", `row${isAt ? " at" : ""}${this.wrong.has(item.id) ? " wrong" : ""}`);
    const box = el("input");
    box.type = "checkbox";
    box.checked = !this.wrong.has(item.id);
    box.addEventListener("change", () => this.toggle(item.id));
    row.append(box, el("span", "who", item.contact || ""), el("span", "what", item.text), el("span", "dim", item.sure || ""));
    return row;
  }

  help() {
    const { labels, categories } = this.data;
    const lines = [["↵", labels.key_confirm], ["1–9", labels.key_likeliest], ["/", labels.search], ["0", labels.nothing], ["X", labels.spam], ["L", labels.later],
      ["K", labels.ask], ["P", labels.priority], ["M", labels.sentiment], ["F", labels.key_alike], ["U", labels.undo],
      ...categories.filter(one => one.letter).map(one => [one.letter.toUpperCase(), one.name])];
    return el("dl", "help", ...lines.flatMap(([key, what]) => [el("dt", "", el("kbd", "", key)), el("dd", "", what)]));
  }

  button(label, key, act, kind = "", disabled = false, name = "") {
    const button = el("button", kind, label, key ? el("kbd", "", key) : "");
    button.type = "button";
    button.disabled = disabled;
    if (name) button.dataset.name = name;
    if (key) button.setAttribute("aria-keyshortcuts", key === "↵" ? "Enter" : key);
    button.addEventListener("click", event => { act(event); button.blur(); });
    return button;
  }
}

function el(tag, kind = "", ...children) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.append(...children.filter(child => child !== "" && child != null));
  return element;
}
