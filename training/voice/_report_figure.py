"""The figure of a new voice: spectrograms of an unseen speaker before and after, and the losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from voicegraph.experiments.observers import contours
from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.schemas.voice_report import Losses

from ._decoding import read_mono
from ._preview import PreviewFiles
from .workdir import RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WINDOW, _HOP = 768, 96
"""Samples at 24 kHz: 32 and 4 ms."""
_RANGE_DB = 80.0
_F0_COLOUR = "#35e0c8"
_CURVES = {"clean": "#1f77b4", "perturbed": "#d95f02", "streaming": "#7b3294"}


def draw(sounds: Sequence[PreviewFiles], losses: Sequence[Losses], target: Path) -> None:
    """Writes a PNG; an existing one is replaced.

    Args:
        sounds: previews; the first is shown before and after, the last as it was recorded.
        losses: of the training.
        target: the file.

    Raises:
        OutputError: if it cannot be written.
    """
    from matplotlib.figure import Figure

    unseen, own = sounds[0], sounds[-1]
    panels = (
        (unseen.source, f"before ({unseen.name})"),
        (unseen.made, "after: the same in the new voice"),
        (own.source, f"the voice itself ({own.name})"),
    )
    figure = Figure(figsize=(11, 12), dpi=100, layout="constrained")
    axes = figure.subplots(4, 1, height_ratios=(1, 1, 1, 0.8))
    audios = [read_mono(path, RATE) for path, _ in panels]
    longest = max(map(len, audios)) / RATE
    for axis, audio, (_, title) in zip(axes, audios, panels, strict=False):
        _spectrogram(axis, audio)
        _f0_contour(axis, audio)
        axis.set_title(title, loc="left", fontsize=11)
        axis.set_xlim(0, longest)
    axes[2].set_xlabel("time (s)")
    _training(axes[3], losses)
    _save(figure, target)


def _spectrogram(axis: Axes, audio: np.ndarray) -> None:
    padded = np.pad(audio, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    spectra = np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)
    level = 10 * np.log10(np.abs(spectra.T) ** 2 + 1e-12)
    top = float(level.max())
    axis.imshow(
        level,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top - _RANGE_DB,
        vmax=top,
        extent=(0, level.shape[1] * _HOP / RATE, 0, RATE / 2000),
    )
    axis.set_ylabel("frequency (kHz)")


def _f0_contour(axis: Axes, audio: np.ndarray) -> None:
    """Draws F0 on an axis of its own on the right."""
    f0 = contours.swift_contour(soxr.resample(audio, RATE, contours.RATE).astype(np.float64))
    voiced = f0 > 0
    label = f"F0, median {np.median(f0[voiced]):.0f} Hz" if voiced.any() else "F0: unvoiced"
    right = axis.twinx()
    line = np.where(voiced, f0, np.nan)
    times = np.arange(len(f0)) / 100
    right.plot(times, line, color="black", linewidth=3.0)
    right.plot(times, line, color=_F0_COLOUR, linewidth=1.5, label=label)
    right.set_ylim(0, 500)
    right.set_ylabel("F0 (Hz)")
    right.legend(loc="upper right", facecolor="black", labelcolor="white", framealpha=0.7)


def _training(axis: Axes, losses: Sequence[Losses]) -> None:
    steps = [one.step for one in losses]
    for name, colour in _CURVES.items():
        values = [getattr(one, name) for one in losses]
        axis.plot(steps, values, marker="o", markersize=3, color=colour, label=name)
    axis.set_title("training: spectral loss on held-out speech, by its features", loc="left")
    axis.set_xlabel("step")
    axis.set_ylabel("loss")
    axis.grid(alpha=0.3)
    axis.legend()


def _save(figure: Any, target: Path) -> None:
    with atomic_write(target, force=True) as temporary:
        figure.savefig(temporary, format="png")
