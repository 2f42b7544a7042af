"""What the layers above the framework provide to it, by name.

The framework imports none of these layers: the package's front (``voicegraph/__init__.py``) names
the providers before any of its modules can be imported, and each is imported when it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_providers: dict[str, str] = {}


def provide(providers: Mapping[str, str]) -> None:
    """Names providers: what they provide -> ``module:attribute``."""
    _providers.update(providers)


def provided(name: str) -> Any:
    """The class or function that provides ``name``.

    Raises:
        KeyError: if nobody provides it.
    """
    module, _, attribute = _providers[name].partition(":")
    return getattr(import_module(module), attribute)
