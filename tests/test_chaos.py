"""The short form of the chaos runs; the long one is `./octopus bench chaos`."""

import pytest

from bench import chaos
from bench.system import product, world

MESSAGES = 240


@pytest.fixture(scope="module")
def running():
    with world() as around, product(around, OCTOPUS_WORKERS="2") as started:
        yield started, around


@pytest.mark.parametrize("name", ["workers killed", "receiver killed", "redis flushed"])
def test_nothing_is_lost_and_nothing_doubled(running, name):
    report = chaos.scenario(*running, name, MESSAGES)

    print(f"\n{name}: {report}")
    assert (report["lost"], report["duplicated"], report["wrong_category"]) == (0, 0, 0)
    assert report["hurt"] > 0
    assert report["acked"] == report["created_once"] == MESSAGES
