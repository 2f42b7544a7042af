"""The shipped observers by name, and who asks the registry for one."""

from __future__ import annotations

from ..metric import Observer
from ..registry import OBSERVERS

BUILTIN: dict[str, str] = {
    "contour.level": "level_contour",
    "f0.dio": "f0_dio",
    "f0.harvest": "f0_harvest",
    "f0.swift": "f0_swift",
    "mos.distillmos": "distillmos",
    "mos.dnsmos": "dnsmos",
    "mos.plcmos": "plcmos",
    "phones.hama": "hama",
    "phones.pocketsphinx": "pocketsphinx",
    "sound.stoi": "stoi_sound",
    "speaker.ge2e": "ge2e",
    "speaker.resemblyzer": "resemblyzer",
    "words.moonshine": "moonshine",
    "words.whisper": "whisper",
}
"""Name -> module of this folder."""


def find(name: str) -> type[Observer]:
    """The observer of a name.

    Raises:
        KeyError: if the name is unknown.
        ImportError: if its module fails.
    """
    return OBSERVERS.find(name)


def names() -> list[str]:
    """Every known observer, sorted."""
    return OBSERVERS.names()
