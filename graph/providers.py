"""Implementations that layers above the framework provide to it, looked up by name.

The framework does not import these layers. The top-level package (``voicegraph/__init__.py``)
registers the providers before any other module can be imported; each is imported on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_providers: dict[str, str] = {}


def provide(providers: Mapping[str, str]) -> None:
    """Registers providers: name -> ``module:attribute``."""
    _providers.update(providers)


def provided(name: str) -> Any:
    """The class or function registered as ``name``.

    Raises:
        KeyError: if there is none.
    """
    module, _, attribute = _providers[name].partition(":")
    return getattr(import_module(module), attribute)
