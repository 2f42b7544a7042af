"""All services of the page server, made at its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.files.user_folders import data_folder, state_folder
from voicegraph.schemas.app import AppLimits


@dataclass(frozen=True)
class Services:
    """What routes get as ``CurrentServices``; a topic adds its own as a field.

    Attributes:
        limits: what clients may take.
        data: the folder of voices, presets, takes and jobs.
        state: the folder of notes about running programs.
    """

    limits: AppLimits
    data: Path
    state: Path

    async def close(self) -> None:
        """Ends what must not outlive the server; live sessions go on."""


def open_services(limits: AppLimits, say: Callable[[str], None]) -> Services:
    """The services over the user's own folders.

    Args:
        limits: what clients may take.
        say: receives messages about faults.
    """
    del say
    return Services(limits, data_folder(), state_folder())
