"""Licences of what a plan is made of: voices, weights and packages."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from functools import cache

from voicegraph.graph.pipeline import Plan

from ._dependences import card_of

_UNSTATED = "not stated"


def licences(plan: Plan, packages: Iterable[str]) -> dict[str, str]:
    """Licence by file name or package, as the file or package states it."""
    found: dict[str, str] = {}
    for content in plan.files.values():
        card = card_of(content.path, content.sha256)
        found[content.path.name] = (card.licence if card is not None else "") or _UNSTATED
    return found | {name: _of_package(name) for name in packages}


@cache
def _of_package(name: str) -> str:
    about = importlib.metadata.metadata(name)
    stated = "".join([*(about.get_all("License-Expression") or about.get_all("License") or [])][:1])
    if stated and "\n" not in stated.strip():
        return stated.strip()
    classified = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    return ", ".join(classified) or stated.strip().partition("\n")[0] or _UNSTATED
