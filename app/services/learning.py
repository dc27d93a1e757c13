"""What a workspace learns from its people: every correction at once in each process, a new model in the background.

follow    each batch of work first reads what persons decided since the last one: memory and model know it at once
refit     in the background: all corrections (and, at low weight, the LLM's answers) -> a new version of the model
watch     random checks say how often the model is right; when it falls short, its thresholds rise by themselves
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from uuid import UUID

import numpy as np
from pydantic import BaseModel, Field
from sqlmodel import Session

from app import enqueue
from app.classify import model_file
from app.classify.calibration import Audited, Interval, Thresholds, fit_thresholds, raised, realised, weighed_share
from app.classify.learned import Learned
from app.classify.local_model import LocalModel
from app.classify.memory import Correction, Memory
from app.classify.prompt import LONGEST_INSTRUCTIONS
from app.classify.quality import kept_for_examination
from app.db import examples
from app.db import learning as store
from app.db.engine import in_system, in_workspace
from app.db.learning import Decision
from app.db.tables import ModelVersion
from app.db.tables.base import first_id_at, now
from app.domain.classification import Classification, Priority, Sentiment, Source
from app.domain.errors import InvalidInput, Malformed
from app.logs import log
from app.services import audit, releases
from app.services.members import Actor, Role, require

OVERLAP_MS = 60_000  # ids are made before they are committed: what may still come up is read once more
MOST_REMEMBERED = 20_000  # corrections a process keeps word for word
MOST_FROM_PERSONS, MOST_IMPORTED, MOST_FROM_LLM, MOST_CHECKED = 20_000, 20_000, 10_000, 5_000
MOST_CELLS = 2_000_000  # examples x categories: what a fit costs: at most about 8 s of CPU, five times
REFIT_AFTER, REFIT_SHARE = 20, 0.1  # new corrections; and of those there were, before the model is fitted anew
KEPT_VERSIONS = 5
CHECK = "Picked by chance for a person's look."


class LocalSettings(BaseModel):
    """How a workspace uses its own model. audit_share: of the answers given alone, looked at by a person.

    double_share: of what a person decided, decided by a second one who does not know the first one's word.
    golden_share: of the messages, kept to examine each new model: what persons say about them never trains one.
    """

    enabled: bool = True
    target_accuracy: float = Field(0.95, gt=0.5, lt=1)
    audit_share: float = Field(0.03, ge=0, le=1)
    learn_from_llm: bool = True
    double_share: float = Field(0.05, ge=0, le=1)
    golden_share: float = Field(0.1, ge=0, le=0.5)


class LlmSettings(BaseModel):
    """bar: the least confidence at which a language model's answer stands alone. instructions: the team's own rules,
    which the model reads with every message.
    """

    bar: float = Field(0.6, ge=0, le=1)
    instructions: str = Field("", max_length=LONGEST_INSTRUCTIONS)


def settings_of(stored: dict) -> LocalSettings:
    """stored: a workspace's settings."""
    return LocalSettings.model_validate(stored.get("classify", {}).get("local", {}))


def llm_settings_of(stored: dict) -> LlmSettings:
    return LlmSettings.model_validate(stored.get("classify", {}))


# ---- in each process


@dataclass
class Learner:
    """One workspace's memory and model in this process. `follow` before asking."""

    workspace_id: UUID
    learned: Learned = field(default_factory=lambda: _beginning())
    version: UUID | None = None
    _until: UUID = store.FIRST
    _seen: deque[UUID] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, session: Session, golden_share: float) -> None:
        """Take in what was decided since. One small query where nothing was."""
        with self._lock:
            current = store.current_version(session, self.workspace_id)
            if current and current.id != self.version:
                self._load(session, current)
            for decision in store.corrections(session, self.workspace_id, self._until, MOST_REMEMBERED):
                self._take(decision, kept_for_examination(decision.message_id, golden_share))
            if current and current.thresholds != self.learned.thresholds.as_json():
                self.learned = replace(self.learned, thresholds=Thresholds.from_json(current.thresholds))

    def _load(self, session: Session, version: store.Version) -> None:
        """A new version starts from its weights; what was decided after it was fitted is learnt on top."""
        self.version = version.id
        try:
            model = model_file.from_bytes(store.weights(session, version.id))
        except Malformed as error:
            log.error("model_not_loaded", workspace_id=str(self.workspace_id), error=str(error))
            return
        known = store.corrections(session, self.workspace_id, store.FIRST, MOST_REMEMBERED)
        imported = examples.decisions(session, self.workspace_id, MOST_REMEMBERED - len(known))
        remembered = [_remembered(one) for one in known if one.category]
        memory = Memory(model.vectoriser, [*(_remembered(one, imported=True) for one in imported), *remembered])
        self.learned = Learned(model, memory, Thresholds.from_json(version.thresholds))
        self._until = version.learnt_until or store.FIRST
        self._seen = deque((one.id for one in known if one.id <= self._until), maxlen=MOST_REMEMBERED)

    def _take(self, decision: Decision, is_golden: bool) -> None:
        """What the golden set holds is remembered word for word, and the model does not learn it."""
        self._until = max(self._until, UUID(int=max(0, decision.id.int - (OVERLAP_MS << 80))))
        if decision.id in self._seen:
            return
        self._seen.append(decision.id)
        if decision.category is None:
            self.learned.memory.remove(str(decision.message_id))
        else:
            self.learned.memory.add(_remembered(decision))
            if not is_golden:
                self.learned.model.learn(decision.text, decision.category)


@cache
def learner(workspace_id: UUID) -> Learner:
    return Learner(workspace_id)


def _beginning() -> Learned:
    model = LocalModel()
    return Learned(model, Memory(model.vectoriser), Thresholds(LocalSettings().target_accuracy))


def _remembered(decision: Decision, imported: bool = False) -> Correction:
    return Correction(str(decision.message_id), decision.text, decision.category, imported)


def follow(session: Session, workspace_id: UUID, settings: dict) -> None:
    """Let this process know what was decided meanwhile. settings: the workspace's."""
    local = settings_of(settings)
    if local.enabled:
        learner(workspace_id).follow(session, local.golden_share)


# ---- random checks


def with_check(result: Classification, message_id: UUID, settings: dict) -> Classification:
    """The result, with how likely a person's look at it was; an answer picked by chance waits for that look.

    Picked by the message's id, so that a second try picks the same.
    """
    local = settings_of(settings)
    if not local.enabled or result.ignore_reason:
        return result
    if result.category is None:
        return replace(result, review_rate=1.0)
    by_machine = result.source in (Source.MEMORY, Source.LOCAL, Source.LLM)
    if not by_machine or (message_id.int & 0xFFFFFFFF) / 2**32 >= local.audit_share:
        return result
    return replace(result, category=None, source=None, review_reason=CHECK, review_rate=local.audit_share)


# ---- in the background


def wake_learners() -> int:
    """Queue the learning of every workspace where persons decided something new; returns how many there are."""
    with in_system() as session:
        due = store.with_something_new(session)
    for workspace_id in due:
        enqueue.wake(enqueue.LEARN, {workspace_id: [workspace_id]})
    return len(due)


def learn(workspace_id: UUID) -> None:
    """Watch how the model does, and fit it anew when there is enough new to learn from. Safe to run twice."""
    with in_workspace(workspace_id) as session:
        settings = settings_of(store.settings(session, workspace_id))
        current = store.current_version(session, workspace_id)
        if settings.enabled and current:
            _watch(session, workspace_id, current)
        new, old = store.count_corrections(session, workspace_id, current.learnt_until if current else None)
        outdated = not knows_imports(session, workspace_id) or store.erased_since_fitting(session, workspace_id)
    if settings.enabled and (outdated or new >= max(REFIT_AFTER, REFIT_SHARE * old)):
        with in_workspace(workspace_id) as alone:  # holds no row meanwhile
            if store.may_fit(alone, workspace_id):
                refit(workspace_id, settings)


def knows_imports(session: Session, workspace_id: UUID) -> bool:
    """Whether the newest version was fitted on the imported tickets that are there now, and no others."""
    return examples.import_ids(session, workspace_id) == examples.learnt_imports(session, workspace_id)


def refit(workspace_id: UUID, settings: LocalSettings) -> UUID:
    """A new version of the model, current at once; returns its id. 3 s of CPU for 10,000 messages, 77 categories."""
    from app.classify import training

    with in_workspace(workspace_id) as session:
        by_persons = store.corrections(session, workspace_id, store.FIRST, MOST_FROM_PERSONS)
        room = MOST_CELLS // max(1, store.count_categories(session, workspace_id)) - len(by_persons)
        imports = examples.import_ids(session, workspace_id)  # first: what comes meanwhile asks for another fitting
        imported = examples.decisions(session, workspace_id, max(0, min(MOST_IMPORTED, room)))
        room = max(0, min(MOST_FROM_LLM, room - len(imported)))
        from_llm = store.unreviewed(session, workspace_id, room) if settings.learn_from_llm else []
        rates = store.review_rates(session, workspace_id, MOST_CHECKED)
    newest = {decision.message_id: decision for decision in by_persons}  # of one message the last word
    every = [decision for decision in newest.values() if not decision.taken_back]
    golden = [one for one in every if kept_for_examination(one.message_id, settings.golden_share)]
    of_persons = [one for one in every if not kept_for_examination(one.message_id, settings.golden_share)]
    from_llm = [one for one in from_llm if not kept_for_examination(one.message_id, settings.golden_share)]
    decisions = [*imported, *of_persons, *from_llm]
    labelled = [_example(decision) for decision in decisions]
    model = training.fit(labelled)
    thresholds = fit_thresholds(_unseen(decisions, labelled, rates), settings.target_accuracy)
    version = ModelVersion(
        workspace_id=workspace_id, thresholds=thresholds.as_json(), weights=model_file.to_bytes(model),
        learnt_until=by_persons[-1].id if by_persons else None, imports=imports,
        metrics={
            "by_persons": len(of_persons), "imported": len(imported), "from_llm": len(from_llm),
            "categories": len(model.categories),
            "checked": thresholds.reviewed, "expected_share": thresholds.expected_share, "bound": thresholds.bound,
            "golden": asdict(_examined(model, golden)),
        },
    )  # fmt: skip
    version_id = version.id
    with in_workspace(workspace_id) as session:
        store.add_version(session, version, KEPT_VERSIONS)
    return version_id


def _examined(model: LocalModel, golden: Sequence[Decision]) -> Interval:
    """How many of the golden messages the model's best guess is right for; each counts once."""
    labelled = [one for one in golden if one.category is not None]
    right = [model.answer(one.text).category == one.category for one in labelled]
    return weighed_share(right, [1.0] * len(right))


def _example(decision: Decision):
    from app.classify.training import Example

    return Example(
        decision.text, decision.category, Source(decision.source),
        Priority(decision.priority) if decision.priority else None,
        Sentiment(decision.sentiment) if decision.sentiment else None,
    )  # fmt: skip


def _unseen(decisions: Sequence[Decision], labelled: Sequence, rates: dict[UUID, float]) -> list[Audited]:
    """What models that had not seen them say about the messages whose review was left to chance, or certain."""
    from app.classify import training

    which = [i for i, one in enumerate(decisions) if one.source == Source.PERSON and one.message_id in rates]
    if len({labelled[i].category for i in which}) < 2:
        return []
    stands_for = [1 / rates[decisions[i].message_id] for i in which]
    held_out = training.out_of_fold(labelled, which, sampling_weights=np.array(stands_for))
    return held_out.audited([labelled[i].category for i in which], stands_for)


def _watch(session: Session, workspace_id: UUID, current: store.Version) -> None:
    """Raise the thresholds when random checks find the model less often right than it should be."""
    thresholds = Thresholds.from_json(current.thresholds)
    stricter = raised(thresholds, _audited(store.checks(session, workspace_id)))
    if stricter is None:
        return
    store.set_thresholds(session, current.id, stricter.as_json())
    levels = [{"level": one.as_json()["level"]} for one in (thresholds, stricter)]
    audit.record(session, "Octopus", workspace_id, "change", "local model", "thresholds", *levels)


def _audited(checks: Sequence[store.Check]) -> list[Audited]:
    return [
        Audited(check.answer, check.probability, check.raw, check.decided == check.answer, 1 / check.review_rate)
        for check in checks
    ]


# ---- for a person


def versions(workspace_id: UUID) -> list[ModelVersion]:
    """Newest first."""
    with in_workspace(workspace_id) as session:
        return store.versions(session, workspace_id)


def roll_back(actor: Actor, version_id: UUID) -> None:
    """Let another version answer; what was decided after it was fitted is learnt on top, at once."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        before = store.current_version(session, actor.workspace_id)
        if not store.make_current(session, actor.workspace_id, version_id):
            raise InvalidInput("This version was removed meanwhile. Nothing was changed; choose another one.")
        audit.record(
            session, actor.email, actor.workspace_id, "change", "local model", "version",
            {"version": str(before.id) if before else ""}, {"version": str(version_id)},
        )  # fmt: skip


def save_settings(actor: Actor, wanted: LocalSettings) -> None:
    """In the draft, as all that decides."""
    _save(actor, "learning", settings_of, wanted, {"local": wanted.model_dump()})


def save_llm_settings(actor: Actor, wanted: LlmSettings) -> None:
    _save(actor, "language models", llm_settings_of, wanted, wanted.model_dump())


def _save(actor: Actor, noun: str, of: Callable[[dict], BaseModel], wanted: BaseModel, changed: dict) -> None:
    with releases.editing(actor) as session:
        before = store.settings(session, actor.workspace_id)
        if of(before) == wanted:
            return
        stored = before | {"classify": before.get("classify", {}) | changed}
        store.save_settings(session, actor.workspace_id, stored)
        was = of(before).model_dump()
        audit.record(session, actor.email, actor.workspace_id, "change", noun, "settings", was, wanted.model_dump())


def settings(workspace_id: UUID, live: bool = False) -> LocalSettings:
    """live: what works now, otherwise what the set-up shows."""
    with in_workspace(workspace_id) if live else releases.shown(workspace_id) as session:
        return settings_of(store.settings(session, workspace_id))


def llm_settings(workspace_id: UUID) -> LlmSettings:
    """What the set-up shows."""
    with releases.shown(workspace_id) as session:
        return llm_settings_of(store.settings(session, workspace_id))


@dataclass(frozen=True, slots=True)
class Figures:
    """What the Learning page shows. accuracy: of the answers the model would have given alone, by random checks.

    days: of each day of the workspace's calendar, how many messages each source decided (`person`: nobody was sure),
    oldest first. asked, spent_usd: messages an LLM was asked about, and what that cost.
    seconds: the median look of a person at a message.
    """

    accuracy: Interval
    corrections: int
    days: dict[date, dict[str, int]]
    asked: int
    spent_usd: float
    seconds: float | None

    @property
    def total(self) -> int:
        return sum(sum(counts.values()) for counts in self.days.values())

    def decided_by(self, *sources: str) -> int:
        return sum(counts.get(source, 0) for counts in self.days.values() for source in sources)


def figures(workspace_id: UUID, zone: str, days: int = 30) -> Figures:
    with in_workspace(workspace_id) as session:
        since = first_id_at(now() - timedelta(days=days))
        by_day: dict[date, dict[str, int]] = {}
        asked, spent_usd = 0, 0.0
        for row in store.decided_per_day(session, workspace_id, since, zone):
            by_day.setdefault(row.day, {})[row.source] = row.messages
            asked, spent_usd = asked + row.asked, spent_usd + row.spent_usd
        new, old = store.count_corrections(session, workspace_id, None)
        accuracy = realised(_audited(store.checks(session, workspace_id)))
        seconds = store.median_seconds(session, workspace_id, since)
        return Figures(accuracy, new + old, dict(sorted(by_day.items())), asked, spent_usd, seconds)


def now_answering(workspace_id: UUID) -> tuple[ModelVersion, Thresholds] | None:
    """The version that answers, with its thresholds as they are now; None before the first was fitted."""
    current = next((row for row in versions(workspace_id) if row.is_current), None)
    return (current, Thresholds.from_json(current.thresholds)) if current else None
