"""The customers of the demo: they write 500 messages, many at first, then fewer, and stop.

How far they are stands in the data directory; a message that is sent again after a restart is a resend to Octopus.
"""

import signal
import threading
import time
from pathlib import Path
from uuid import UUID

from app import logs
from app.domain.errors import OctopusError
from app.services import demo
from app.settings import settings
from demo.colleague import Colleague
from demo.messages import COUNT, Message, messages
from demo.receiver import Receiver

BURST, BURST_S = 60, 50.0  # messages of the first minute
BRISK, BRISK_S = 360, 12 * 60.0  # up to here, by then: enough was checked to let the local model answer alone
ALL_S = 30 * 60.0
SLACK_SHARE = 5  # every fifth customer writes on Slack
LOOK_AGAIN_S = 2.0
SENT = "customers-sent"


def due_s(number: int) -> float:
    """Seconds after the first message at which this one is written."""
    if number < BURST:
        return BURST_S * number / BURST
    if number < BRISK:
        return BURST_S + (BRISK_S - BURST_S) * (number - BURST) / (BRISK - BURST)
    return BRISK_S + (ALL_S - BRISK_S) * (number - BRISK) / (COUNT - BRISK)


class Customers:
    def __init__(self, workspace_id: UUID):
        self._progress = settings().data_dir / SENT
        self._receiver = Receiver(workspace_id)

    def write_all(self, stopping: threading.Event) -> None:
        first = _read(self._progress)
        began = time.monotonic() - (due_s(first) if first < COUNT else 0.0)
        for message in messages()[first:]:
            if stopping.wait(max(0.0, began + due_s(message.number) - time.monotonic())):
                return
            while not self._sent(message):
                if stopping.wait(LOOK_AGAIN_S):
                    return
            self._progress.write_text(str(message.number + 1))

    def _sent(self, message: Message) -> bool:
        channel = "slack" if message.customer % SLACK_SHARE == 0 else "telegram"
        return self._receiver.take(channel, message.number, message.customer, message.name, message.text)


def _read(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def main() -> None:
    logs.start("customers")
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    workspace_id = demo.workspace_id()
    colleague = threading.Thread(target=Colleague(workspace_id).work, args=(stopping,), daemon=True)
    colleague.start()
    try:
        Customers(workspace_id).write_all(stopping)
    except OctopusError as error:
        raise SystemExit(f"The customers of the demo stop: {error}") from error
    stopping.wait()  # the supervisor would take an end for a failure
    colleague.join(5)


if __name__ == "__main__":
    main()
