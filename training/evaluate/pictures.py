"""Pictures of an evaluation: a dot for each speaker, and spectrograms of examples, as JPEG."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from voicegraph.experiments.results.run import Run
from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib
from voicegraph.schemas.experiment_tables import CellRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATE = 16000
_WINDOW, _HOP = 512, 80
_RANGE_DB = 75.0
_TITLE_WIDTH = 26
"""Letters in a line of a panel's title: more would run into the next panel."""
_SHOWN = (
    *("words.wer", "phones.hama"),
    *("likeness.target_resemblyzer", "quality.dnsmos", "pauses.level"),
)
_COLOURS = {"M": "#2f6db5", "F": "#c2571a"}
_SYSTEM, _CLEAN = "live", "clean"


def draw(run: Run, folder: Path) -> list[Path]:
    """Draws everything into a folder; gives the files.

    Raises:
        VoicegraphError: if matplotlib is not installed.
    """
    require_matplotlib("pip install matplotlib")
    folder.mkdir(parents=True, exist_ok=True)
    return [_speakers(run, folder / "evaluate-speakers.jpg"), *_examples(run, folder)]


def _speakers(run: Run, target: Path) -> Path:
    """A dot for each speaker, a line for the mean and a bar for its interval."""
    every = run.mean_rows()
    means = {(row.cell, row.metric): row for row in every if row.mean is not None}
    measured = {metric for _, metric in means}
    known = [metric for metric in run.manifest.metrics if metric.name in measured]
    metrics = [metric for metric in known if metric.name in _SHOWN] or known[: len(_SHOWN)]
    cells = [c.name for c in run.manifest.cells if any((c.name, m) in means for m in measured)]
    sexes = {clip.name: clip.columns.get("sex", "") for clip in run.manifest.clips}
    figure = _figure(14, 1.2 + 0.33 * len(cells))
    panels = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True))
    for panel, metric in zip(panels, metrics, strict=True):
        for height, cell in enumerate(cells):
            rows = [r for r in run.value_rows() if (r.cell, r.metric) == (cell, metric.name)]
            found = [(r.value, _COLOURS.get(sexes.get(r.clip, ""), "#777")) for r in rows
                     if r.value is not None]  # fmt: skip
            _dots(panel, found, means.get((cell, metric.name)), height)
        title = textwrap.fill(metric.title, _TITLE_WIDTH)
        panel.set_title(f"{title}\n{metric.goal}" if metric.goal else title, fontsize=9)
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(cells)), cells, fontsize=8)
    panels[0].set_ylim(len(cells) - 0.5, -0.5)
    return _save(figure, target)


def _dots(panel: Any, known: Sequence[tuple[float, str]], mean: Any, height: int) -> None:
    spread = np.linspace(-0.25, 0.25, len(known))
    values, colours = [value for value, _ in known], [colour for _, colour in known]
    panel.scatter(values, height + spread, s=7, c=colours, alpha=0.6, linewidths=0)
    if mean is None or mean.mean is None:
        return
    if mean.low is not None and mean.high is not None:
        panel.plot([mean.low, mean.high], [height, height], color="black", linewidth=1)
    panel.plot([mean.mean] * 2, [height - 0.3, height + 0.3], color="black", linewidth=1.6)


def _examples(run: Run, folder: Path) -> list[Path]:
    """For each voice a male and a female source, the output, and the voice's own speech."""
    sexes = {clip.name: clip.columns.get("sex", "") for clip in run.manifest.clips}
    rows = [row for row in run.cell_rows() if row.status == "done"]
    made = []
    for target in dict.fromkeys(row.target for row in rows if row.target):
        own = next((r for r in rows if r.target == target and _is(r, "target")), None)
        for sex in "MF":
            row = next((r for r in rows if r.target == target and _is(r, _SYSTEM)
                        and sexes.get(r.clip) == sex), None)  # fmt: skip
            if row is None:
                continue
            sounds = [
                (f"source {row.clip} ({sex})", run.sound(row.source)),
                (f"{target}: {_SYSTEM}", run.sound(row.sound)),
            ]
            if own is not None:
                title = f"{target}'s own voice, another sentence"
                sounds.append((title, run.sound(own.sound)))
            made.append(_spectrograms(sounds, folder / f"evaluate-{target}-{sex}.jpg"))
    return made


def _is(row: CellRow, system: str) -> bool:
    others = {level for factor, level in row.levels.items() if factor != "system"}
    return row.levels.get("system") == system and others <= {_CLEAN}


def _spectrograms(sounds: Sequence[tuple[str, tuple[np.ndarray, int]]], target: Path) -> Path:
    """Spectrograms one above the other, on the same scale."""
    figure = _figure(9, 2.1 * len(sounds))
    panels = np.atleast_1d(figure.subplots(len(sounds), 1, sharey=True))
    for panel, (title, (audio, rate)) in zip(panels, sounds, strict=True):
        heard = soxr.resample(audio, rate, _RATE) if rate != _RATE else audio
        power = _power(heard / max(np.abs(heard).max(), 1e-6))
        edges = (0, len(heard) / _RATE, 0, _RATE / 2000)
        top = power.max()
        panel.imshow(power, origin="lower", aspect="auto", cmap="magma", extent=edges,
                     vmin=top - _RANGE_DB, vmax=top)  # fmt: skip
        panel.set_title(title, loc="left", fontsize=10)
        panel.set_ylabel("kHz")
    panels[-1].set_xlabel("s")
    return _save(figure, target)


def _power(audio: np.ndarray) -> np.ndarray:
    """Power in dB, ``[bins, frames]``."""
    padded = np.pad(audio, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    return 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))).T + 1e-6)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=90, layout="constrained")


def _save(figure: Figure, target: Path) -> Path:
    with atomic_write(target, force=True) as path:
        figure.savefig(path, format="jpg", pil_kwargs={"quality": 80, "optimize": True})
    return target
