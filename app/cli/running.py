"""One at a time: who works with a data directory holds its lock, and a running `up` says there how to reach it."""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO

from app.domain.errors import OctopusError

LOCK_FILE, RUNTIME_FILE = "up.lock", "runtime.json"
LOCK_TIMEOUT_S = 60.0
LOOK_AGAIN_S = 0.1


def hold(data_dir: Path) -> IO | None:
    """Waits for short commands to end. Returns the open lock, or None as soon as a running `up` is found.

    The kernel frees the lock when its holder ends, however that ends; what a killed `up` left is removed here.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + LOCK_TIMEOUT_S
    while time.monotonic() < end:
        file = (data_dir / LOCK_FILE).open("a")
        if _locks(file):
            (data_dir / RUNTIME_FILE).unlink(missing_ok=True)
            return file
        file.close()
        if running_up(data_dir):
            return None
        time.sleep(LOOK_AGAIN_S)
    raise OctopusError(
        f"Another command has been working with the data in {data_dir} for {LOCK_TIMEOUT_S:.0f} s. "
        "Nothing was done. End that one, or set OCTOPUS_DATA_DIR."
    )


def running_up(data_dir: Path) -> dict | None:
    """What a running `up` of this data directory says of itself: pid, database_url, redis_url, receiver_port."""
    try:
        with (data_dir / LOCK_FILE).open("a") as file:
            return None if _locks(file) else json.loads((data_dir / RUNTIME_FILE).read_text())
    except (OSError, ValueError):  # nobody was ever here, or it is being written this moment
        return None


def announce(data_dir: Path, content: dict) -> None:
    """The addresses let anybody in who can read them: the file is its owner's alone, and whole when it appears."""
    part = data_dir / f"{RUNTIME_FILE}.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    part.replace(data_dir / RUNTIME_FILE)


def _locks(file: IO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
