"""Figures of the metrics, and spectrograms of examples: JPEG, below 150 kB each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from ._metrics import METRICS
from ._observation import load_audio
from ._summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WINDOW, _HOP = 512, 80
_RANGE_DB = 75.0
_SHOWN = ("phone_error", "to_target", "mos", "pauses")
_COLOURS = {"M": "#2f6db5", "F": "#c2571a"}


def spectrograms(sounds: Sequence[tuple[str, Path]], target: Path) -> None:
    """Draws spectrograms one above the other, on the same scale, from titles and files.

    Raises:
        VoicegraphError: if matplotlib is not installed.
    """
    figure = _figure(9, 2.1 * len(sounds))
    panels = np.atleast_1d(figure.subplots(len(sounds), 1, sharey=True))
    for panel, (title, path) in zip(panels, sounds, strict=True):
        audio = load_audio(path)
        power = _power(audio / max(np.abs(audio).max(), 1e-6))
        edges = (0, len(audio) / ENCODER_RATE, 0, ENCODER_RATE / 2000)
        top = power.max()
        panel.imshow(power, origin="lower", aspect="auto", cmap="magma", extent=edges,
                     vmin=top - _RANGE_DB, vmax=top)  # fmt: skip
        panel.set_title(title, loc="left", fontsize=10)
        panel.set_ylabel("kHz")
    panels[-1].set_xlabel("s")
    _save(figure, target)


def _power(audio: np.ndarray) -> np.ndarray:
    """Power in dB, ``[bins, frames]``."""
    padded = np.pad(audio, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    return 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))).T + 1e-6)


def dots(summaries: Sequence[Summary], target: Path) -> None:
    """Draws a dot for each speaker, a line for the mean and a bar for its interval.

    Raises:
        VoicegraphError: if matplotlib is not installed.
    """
    shown = [metric for metric in METRICS if metric.name in _SHOWN]
    figure = _figure(12, 1.2 + 0.33 * len(summaries))
    panels = figure.subplots(1, len(shown), sharey=True)
    for panel, metric in zip(panels, shown, strict=True):
        for height, summary in enumerate(summaries):
            _speakers(panel, summary, metric.name, height)
        if metric.wanted is not None:
            panel.axvline(metric.wanted, color="#888", linestyle=":", linewidth=1)
        panel.set_title(f"{metric.title}, {metric.goal}" if metric.goal else metric.title)
        panel.title.set_fontsize(9)
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(summaries)), [s.row.label for s in summaries], fontsize=8)
    panels[0].invert_yaxis()
    _save(figure, target)


def _speakers(panel: Any, summary: Summary, metric: str, height: int) -> None:
    values, found = summary.values[metric], summary.mean(metric)
    spread = np.linspace(-0.25, 0.25, len(values))
    colours = [_COLOURS[sex] for sex in summary.sexes]
    panel.scatter(values, height + spread, s=7, c=colours, alpha=0.6, linewidths=0)
    panel.plot([found.low, found.high], [height, height], color="black", linewidth=1)
    panel.plot([found.value] * 2, [height - 0.3, height + 0.3], color="black", linewidth=1.6)


def _figure(width: float, height: float) -> Figure:
    require_matplotlib("--pictures none")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=90, layout="constrained")


def _save(figure: Figure, target: Path) -> None:
    with atomic_write(target, force=True) as path:
        figure.savefig(path, format="jpg", pil_kwargs={"quality": 80, "optimize": True})
