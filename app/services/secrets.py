"""Between an adapter's `Config` and the JSON a row keeps: secrets are encrypted going in, decrypted coming out."""

from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, SecretStr, ValidationError

from app.db import crypto
from app.domain.errors import InvalidInput

MASK = "••••••••"
Config = TypeVar("Config", bound=BaseModel)


def seal(config: BaseModel, workspace_id: UUID, place: str) -> dict[str, Any]:
    """place: `<table>/<row id>`; the field's name is added, so no ciphertext fits anywhere else."""
    return {
        name: crypto.encrypt(value.get_secret_value(), workspace_id, f"{place}/{name}")
        if isinstance(value, SecretStr)
        else plain(value)
        for name, value in given(config)
    }


def given(config: BaseModel) -> list[tuple[str, Any]]:
    """Names and values that are set; an optional secret left empty is none."""
    return [(name, value) for name, value in config if value is not None and value != SecretStr("")]


def unseal(model: type[Config], stored: dict[str, Any], workspace_id: UUID, place: str) -> Config:
    return validated(model, opened(stored, workspace_id, place))


def opened(stored: dict[str, Any], workspace_id: UUID, place: str) -> dict[str, Any]:
    return {
        name: crypto.decrypt(value, workspace_id, f"{place}/{name}") if crypto.is_encrypted(value) else value
        for name, value in stored.items()
    }


def masked(stored: dict[str, Any]) -> dict[str, Any]:
    """For the audit log and the screen."""
    return {name: MASK if crypto.is_encrypted(value) else value for name, value in stored.items()}


def validated(model: type[Config], values: dict[str, Any]) -> Config:
    """Check typed or filed values; raises InvalidInput naming the first field at fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{field or model.__name__}: {first['msg'].removeprefix('Value error, ')}", field) from error


def plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict) else str(value)
