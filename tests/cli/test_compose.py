"""docker-compose.yml, .env.example and the Dockerfile, held to the code they start."""

import re
from pathlib import Path

import pytest
import yaml

from app.cli.main import PROCESSES, _parser
from app.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "octopus"}
ONLY_COMPOSE = {"POSTGRES_PASSWORD", "POSTGRES_DB", "OCTOPUS_OWNER_PASSWORD", "OCTOPUS_APP_PASSWORD"}
SETTINGS = {field.validation_alias or f"OCTOPUS_{name}".upper() for name, field in Settings.model_fields.items()}
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_name_in_the_environment_is_a_setting():
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    interpolated = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert (given | interpolated) - SETTINGS - ONLY_COMPOSE == set()


def test_the_example_documents_every_setting_and_nothing_else():
    assert set(EXAMPLE) == (SETTINGS | ONLY_COMPOSE) - {"POSTGRES_DB"}


def test_the_example_shows_the_defaults(monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    defaults = Settings()
    for name, value in EXAMPLE.items():
        monkeypatch.setenv(name, value)

    assert Settings() == defaults


def test_every_command_exists():
    for service in OURS.values():
        assert callable(_parser().parse_args(service["command"]).run)


def test_every_process_of_up_has_its_service():
    assert {service["command"][1] for service in OURS.values() if service["command"][0] == "run"} == set(PROCESSES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_lasting_service_has_a_health_check_and_comes_back(name):
    service = SERVICES[name]
    if name == "migrate":
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"


def test_our_services_wait_for_the_migration():
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_the_migration_knows_the_owner():
    knowing = {name for name, service in OURS.items() if "OCTOPUS_OWNER_PASSWORD" in str(service["environment"])}

    assert knowing == {"migrate"}


def test_redis_keeps_jobs():
    command = " ".join(SERVICES["redis"]["command"])

    assert "--appendonly yes" in command and "--maxmemory-policy noeviction" in command


def test_no_port_is_open_to_the_network():
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", []))


def test_files_and_volumes_named_exist():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_image_holds_what_the_processes_need():
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    copied = re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE)

    assert all((ROOT / source).exists() for source in copied)
    assert {"app", "connectors", "workers", "pages", "webhook_receiver.py"} <= set(copied)
    assert {f"!{source}" for source in copied} <= set((ROOT / ".dockerignore").read_text().splitlines())
    assert "\nUSER octopus\n" in dockerfile
