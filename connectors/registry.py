"""Finds the adapters: one file in `crm/` or `channels/` is one connector or channel; nothing else to register."""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

import connectors.channels
import connectors.crm
from app.domain.errors import InvalidInput


def crm_keys() -> tuple[str, ...]:
    return _names(connectors.crm)


def channel_keys() -> tuple[str, ...]:
    return _names(connectors.channels)


@cache
def crm(key: str) -> ModuleType:
    """The module of a connector, holding `Config` and `Connector`."""
    return _load(connectors.crm, key, "connector")


@cache
def channel(key: str) -> ModuleType:
    """The module of a channel, holding `Config` and `Channel`."""
    return _load(connectors.channels, key, "channel")


@cache
def _names(package: ModuleType) -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def _load(package: ModuleType, key: str, kind: str) -> ModuleType:
    if key not in _names(package):
        raise InvalidInput(f"There is no {kind} '{key}'. Known: {', '.join(_names(package))}.", kind)
    return import_module(f"{package.__name__}.{key}")
