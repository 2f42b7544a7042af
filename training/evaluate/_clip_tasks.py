"""The jobs of an evaluation, for one clip each; they run in worker processes."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from . import _targets as targets
from ._conversion import convert
from ._observation import observe
from ._rows import Row
from ._store import Store
from .clips import Clip, cut
from .noise import noisy


def prepare_clip(store: Store, clip: Clip, path: Path, snr_db: float | None) -> None:
    """Writes a clip as the pipelines get it, with noise if wanted, and observes it."""
    audio = cut(path, clip.seconds)
    if snr_db is not None:
        audio = noisy(audio, snr_db, clip.name)
    source = store.source(clip, snr_db)
    with atomic_write(source, force=True) as part:
        # Noise may exceed full scale, which only a float format keeps.
        soundfile.write(part, audio, ENCODER_RATE, "FLOAT", format="WAV")
    observe(source, store.observed(source))


def prepare_target(store: Store, target: Path, speaker: str, source: Path, number: int) -> None:
    """Writes a held-out utterance of a target voice, and observes it."""
    targets.make(target, speaker, source, number)
    observe(target, store.observed(target))


def convert_clip(store: Store, row: Row, clip: Clip, made: Path) -> None:
    """Converts a clip, and observes the result."""
    if not made.exists():
        convert(row, clip, store.source(clip, row.snr_db), made)
    observe(made, store.observed(made))
