"""The picture of a comparison: what both gave, where they differ, and F0 of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from voicegraph.schemas.comparison_report import ComparisonReport

from ..errors import PipelineError, Problem
from ..metrics.f0_contour import FRAMES, RATE, contour
from ..metrics.sample_difference import local_rms
from ..metrics.spectrogram_figure import (
    require_matplotlib,
    save_figure,
    show_map,
    show_spectrogram,
    spectrogram_db,
)
from ..signals import Audio, SignalType
from ._measurement import Aligned

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_DIFFERENCE_DB = 20.0
"""Ends of the scale of level differences."""
_RANGE_DB = 80.0
"""Levels further below the loudest point do not count: nobody hears their difference."""
_LOCAL_S = 0.05
_A, _B = "#0b7285", "#e8590c"


def draw(
    report: ComparisonReport,
    output: tuple[SignalType, Aligned],
    tracker: str,
    target: Path,
    *,
    force: bool = False,
) -> None:
    """Writes the picture of the worst file.

    Args:
        report: the comparison.
        output: type of the output, and what both gave on the worst file.
        tracker: the F0 node.
        target: the file; its ending chooses the format.
        force: replace an existing file.

    Raises:
        VoicegraphError: if matplotlib is missing.
        PipelineError: if the output is not audio.
        OutputError: if the file cannot be written.
    """
    require_matplotlib("print the comparison")
    from matplotlib.figure import Figure

    kind, aligned = output
    if not isinstance(kind, Audio):
        text = f"the output is {kind}, and the picture shows sound"
        raise PipelineError(Problem("output-not-audio", text, fix="--set output=NODE.PORT"))
    sounds = [
        soxr.resample(x.mean(axis=1), float(kind.rate), RATE, "HQ")
        for x in (aligned.reference, aligned.other)
    ]
    figure = Figure(figsize=(11, 12.5), dpi=100, layout="constrained")
    panels: list[Axes] = list(
        figure.subplots(5, 1, sharex=True, gridspec_kw={"height_ratios": [3, 3, 3, 1.2, 1.8]})
    )
    titles = (f"A: {report.a.name}", f"B: {report.b.name}")
    _draw_levels(figure, panels[:3], sounds, titles)
    _draw_local(panels[3], aligned.reference, aligned.other, float(kind.rate))
    _draw_f0(panels[4], [contour(sound, tracker) for sound in sounds])
    panels[4].set_xlabel(f"time (s) in {Path(report.worst_file).name}")
    panels[0].set_xlim(0, len(sounds[0]) / RATE)
    save_figure(figure, target, force)


def _draw_levels(
    figure: Any, panels: list[Axes], sounds: list[np.ndarray], titles: tuple[str, str]
) -> None:
    """Both spectrograms on one scale, and the level of B over that of A."""
    pictures = [spectrogram_db(sound) for sound in sounds]
    top = max(picture.max() for picture in pictures)
    image: Any = None
    for panel, picture, title in zip(panels, pictures, titles, strict=False):
        image = show_spectrogram(panel, picture, top)
        panel.set_title(title, loc="left", fontsize=11)
    figure.colorbar(image, ax=panels[:2], label="level (dB, the loudest point is 0)", pad=0.01)
    one, two = (np.maximum(picture, top - _RANGE_DB) for picture in pictures)
    span = (-_DIFFERENCE_DB, _DIFFERENCE_DB)
    image = show_map(panels[2], two - one, "RdBu_r", span)
    panels[2].set_title("level of B over level of A", loc="left", fontsize=11)
    figure.colorbar(image, ax=panels[2], label="dB", pad=0.01)


def _draw_local(panel: Axes, one: np.ndarray, two: np.ndarray, rate: float) -> None:
    """Levels of A and of the difference, every 50 ms: the space between them is the SNR."""
    size = round(_LOCAL_S * rate)
    silence = np.zeros_like(one)
    for name, colour, pair in (("A", _A, (silence, one)), ("difference", "black", (one, two))):
        level = 20 * np.log10(local_rms(*pair, size) + 1e-6)
        panel.step(
            np.arange(len(level)) * size / rate, level, where="post", color=colour, label=name
        )
    panel.set_ylabel("level (dB)")
    panel.legend(loc="upper right", ncols=2, fontsize=9)


def _draw_f0(panel: Axes, tracks: list[np.ndarray]) -> None:
    """F0 of both on a logarithmic scale; A is drawn wider, so that both are seen."""
    for name, colour, width, track in zip("AB", (_A, _B), (4.0, 1.6), tracks, strict=True):
        voiced = np.where(track > 0, track, np.nan)
        panel.plot(
            np.arange(len(track)) / FRAMES, voiced, color=colour, linewidth=width, label=name
        )
    panel.set_yscale("log")
    panel.set_yticks([50, 100, 200, 400], ["50", "100", "200", "400"])
    panel.minorticks_off()
    voiced = np.concatenate(tracks)
    voiced = voiced[voiced > 0]
    if len(voiced):
        panel.set_ylim(0.8 * np.percentile(voiced, 1), 1.25 * np.percentile(voiced, 99))
    panel.set_ylabel("F0 (Hz)")
    panel.legend(loc="upper right", ncols=2, fontsize=9)
