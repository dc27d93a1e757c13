"""Bots: the accounts customers write to."""

import streamlit as st

from app.db.tables import Bot
from app.services import connections, dashboards, demo
from app.ui import bot_test, forms, session, setup, steps, text
from app.ui.i18n import _, ago
from connectors import registry

PAGE = "bots"
OF_PROGRAMS = "api"  # last in the list: most bots are on a chat service
workspace_id = session.workspace().id
rows = connections.bots(workspace_id)


def channel_of(bot: Bot | None) -> str:
    if bot:
        return bot.channel
    known = sorted(registry.channel_keys(), key=lambda key: key == OF_PROGRAMS)
    return st.pills(
        _("Channel"), known, default=known[0], required=True, key="bots-channel",
        format_func=lambda key: registry.channel(key).Channel.label,
    )  # fmt: skip


def form(bot: Bot | None) -> None:
    channel = channel_of(bot)
    fresh = bot is None or setup.replacing(PAGE, fed=False)
    module, place = registry.channel(channel), f"bots-{bot.key if bot else channel}{'-real' if bot and fresh else ''}"
    draft = bot or setup.draft(PAGE).setdefault(channel, connections.new_bot(workspace_id, channel, channel))
    left, right = st.columns([3, 2], gap="large")
    with left:
        label = module.Channel.label
        name = st.text_input(
            _("Name"), value=bot.name if bot else "", key=f"{place}-name", max_chars=60, placeholder=label
        )
        drawn = forms.draw(module.Config, place, None if fresh else bot.config)
        enabled = st.toggle(_("Receives messages"), value=bot.enabled, key=f"{place}-enabled") if bot else True
    with right, st.container(key="setup-help"):
        st.markdown("##### " + _("How to set it up"))
        steps.draw(module.Channel.SETUP_STEPS, connections.shown(draft), connections.hook_url(draft))
    key = bot.key if bot else setup.free_key(name if name.isascii() and name else channel, [row.key for row in rows])
    if setup.connect(
        PAGE, place, drawn,
        check=lambda: connections.check(draft, drawn.values()),
        save=lambda: connections.save_bot(
            session.actor(), key, channel, drawn.values(), name.strip(), enabled, draft.hook_key
        ),
        remove=_("Delete this bot") if bot else None,
        then=key if fresh else None,
    ):  # fmt: skip
        setup.remove(
            PAGE, _("{name} is removed.").format(name=bot.name or bot.key),
            lambda: connections.delete_bot(session.actor(), bot.key),
            lambda removed: connections.restore(session.actor(), removed),
        )  # fmt: skip


def webhook(bot: Bot, health: dict) -> None:
    """One click where the channel has an API for it, else the address to copy."""
    channel = registry.channel(bot.channel).Channel
    if health.get("last_event_at"):
        st.markdown(f"##### :material/webhook: {_('{channel} sends messages here').format(channel=channel.label)}")
        st.caption(_("Last event {when}").format(when=ago(health["last_event_at"])))
    else:
        st.markdown(f"##### :material/webhook: {_('Now tell {channel} where to send').format(channel=channel.label)}")
        st.caption(
            _("One click does it.") if channel.SETS_WEBHOOK else _("Copy this address and follow the steps below.")
        )
    st.code(connections.hook_url(bot), language=None)
    if channel.SETS_WEBHOOK:
        kind = "secondary" if health.get("last_event_at") else "primary"
        label = _("Connect {channel}").format(channel=channel.label)
        pressed = st.button(label, key="bots-webhook", icon=":material/bolt:", type=kind)
        if pressed and setup.attempt(lambda: connections.set_webhook(session.actor(), bot.key)):
            st.success(_("Done. Write to the bot: the message appears in the Inbox."), icon=":material/check_circle:")
    for line in refusal(health):
        st.caption(line)


def refusal(health: dict) -> list[str]:
    if not health.get("last_refused_at"):
        return []
    when = _("Last refused request {when}").format(when=ago(health["last_refused_at"]))
    return [f":red[:material/gpp_bad: {when}: {text.escape(_(health['last_refused_reason']))}]"]


def lines_of(bot: Bot, health: dict) -> list[str]:
    seen = health.get("last_event_at")
    said = _("Last event {when}").format(when=ago(seen)) if seen else _("No event has come yet")
    return [registry.channel(bot.channel).Channel.label + " · " + said, *refusal(health)]


explanation = _("The accounts your customers write to. Octopus only ever sees messages sent to these.")
setup.heading(_("Bots"), explanation, PAGE, _("Add a bot") if rows else None)
health = {row["key"]: row for row in dashboards.overview(workspace_id).bots}
if chosen := setup.editing(PAGE):
    bot = next((row for row in rows if row.key == chosen), None)
    if bot:
        with st.container(border=True, key="bots-hook"):
            webhook(bot, health.get(bot.key, {}))
            bot_test.draw(bot)
    with st.container(border=True, key="bots-form"):
        form(bot)
elif not rows:
    setup.empty(
        PAGE,
        _("No bot is connected yet"), _("Add the first one: you need its token, and it takes a minute."),
        "smart_toy", _("Add a bot"),
    )  # fmt: skip
for bot in rows if not chosen else []:
    said = lines_of(bot, health.get(bot.key, {}))
    setup.row(
        PAGE, bot.key, "smart_toy", bot.name or bot.key, said, off=not bot.enabled, simulated=demo.is_simulated(bot)
    )
