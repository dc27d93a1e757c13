"""What /metrics tells of the work behind the receiver."""

from app.domain.errors import TransientError
from app.metrics import exposition
from app.services import sweep


def value(name: str) -> float:
    """Of a line of the exposition; 0 while it is not there."""
    found = [line for line in exposition()[0].decode().splitlines() if line.startswith(name + " ")]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def test_classified_messages_and_delivery_attempts_are_counted(kit):
    kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")
    names = (
        'octopus_classified_total{source="rule"}', 'octopus_classified_total{source="nobody"}',
        'octopus_delivery_attempts_total{connector="scripted",outcome="retrying"}',
    )  # fmt: skip
    before = [value(name) for name in names]

    kit.say("#bug It crashed")
    kit.say("what?")

    assert [value(name) - was for name, was in zip(names, before, strict=True)] == [1, 1, 1]


def test_the_sweeper_tells_how_much_is_not_finished(kit):
    kit.vendor("jira", script=[TransientError("busy")])
    kit.route("jira")
    kit.say("#bug It crashed")
    sweep.sweep()

    assert value('octopus_open_work{kind="deliveries"}') >= 1
    assert value('octopus_jobs{queue="sweep"}') >= 0
