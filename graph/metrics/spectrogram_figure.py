"""A figure that compares sounds: spectrograms on one scale, with F0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
import soxr

from ..errors import OutputError, Problem, VoicegraphError
from ..files.atomic_write import atomic_write, check_target
from ..optional_packages import is_installed, missing_package
from .f0_contour import FRAMES, RATE, contour
from .spectral_distance import power_spectrogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WINDOW, _HOP = 512, 64
"""Samples at 16 kHz: 32 ms resolve the harmonics of a low voice; a hop of 4 ms."""
_RANGE_DB = 80.0
"""Range of the scale below the loudest point."""
_QUIET_DB = -40.0
"""Lowest maximum of the scale, so that a silent file is black."""
_F0_COLOUR = "#35e0c8"


@dataclass(frozen=True, slots=True)
class Sound:
    """One panel of the figure.

    Attributes:
        path: a sound file; several channels are averaged.
        title: what it is.
    """

    path: Path
    title: str


def require_matplotlib(otherwise: str) -> None:
    """Says what to install before any work is done.

    Args:
        otherwise: how to go on without the picture, as a command.

    Raises:
        VoicegraphError: if matplotlib is not installed.
    """
    if not is_installed("matplotlib"):
        problem = missing_package("the picture", "matplotlib", extra="plot", instead=otherwise)
        raise VoicegraphError(problem)


def draw(sounds: Sequence[Sound], target: Path, *, force: bool = False) -> None:
    """Writes a PNG (or whatever the ending says) with all sounds.

    Two lie below each other, more in two columns. All have the same axes and the same scale in dB.
    F0 is estimated from each sound as it is.

    Raises:
        VoicegraphError: if matplotlib is not installed.
        OutputError: if the file cannot be written.
    """
    require_matplotlib("run it in Python without draw()")
    from matplotlib.figure import Figure

    samples = [_at_16k(sound.path) for sound in sounds]
    pictures = [spectrogram_db(each) for each in samples]
    top = max(_QUIET_DB, *(picture.max() for picture in pictures))
    tracks = [contour(each) for each in samples]
    highest = 50 * np.ceil(1.3 * max(100.0, *(np.percentile(track, 99) for track in tracks)) / 50)
    columns = 1 if len(sounds) <= 2 else 2
    rows = -(-len(sounds) // columns)
    size = (11 * (1 + columns) / 2, 3.75 * rows)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    image: Any = None
    for panel, sound, picture, track in zip(panels, sounds, pictures, tracks, strict=False):
        image = show_spectrogram(panel, picture, top)
        _overlay(panel, track, highest)
        panel.set_title(sound.title, loc="left", fontsize=11)
    for panel in panels[len(sounds) :]:
        panel.set_axis_off()
    for panel in grid[-1]:
        panel.set_xlabel("time (s)")
    panels[0].set_xlim(0, max(len(each) for each in samples) / RATE)
    figure.colorbar(image, ax=panels, label="level (dB, the loudest point is 0)", pad=0.01)
    save_figure(figure, target, force)


def _at_16k(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE, "HQ")


def spectrogram_db(samples: np.ndarray) -> np.ndarray:
    """Power in dB, at least -120, of ``[samples]`` at 16 kHz: ``[bins, frames]``."""
    return 10 * np.log10(power_spectrogram(samples, _WINDOW, _HOP) + 1e-12)


def show_spectrogram(panel: Axes, picture: np.ndarray, top: float) -> Any:
    """Draws a spectrogram in dB, ``[bins, frames]`` of 16 kHz sound; ``top`` is the brightest."""
    return show_map(panel, picture - top, "magma", (-_RANGE_DB, 0))


def show_map(panel: Axes, picture: np.ndarray, colours: str, span: tuple[float, float]) -> Any:
    """Draws values ``[bins, frames]`` over time and frequency, as :func:`spectrogram_db` has them.

    Args:
        panel: of matplotlib.
        picture: the values.
        colours: name of a colour map.
        span: the values of its ends.
    """
    half_hop = _HOP / RATE / 2
    length = picture.shape[1] * _HOP / RATE
    panel.set_ylabel("frequency (kHz)")
    return panel.imshow(
        picture,
        origin="lower",
        aspect="auto",
        cmap=colours,
        vmin=span[0],
        vmax=span[1],
        extent=(-half_hop, length - half_hop, 0, RATE / 2000),
    )


def _overlay(panel: Axes, track: np.ndarray, highest: float) -> None:
    """Draws F0 with its own axis on the right: on the left one it would be a flat line."""
    voiced = track > 0
    time = np.arange(len(track)) / FRAMES
    axis = panel.twinx()
    label = f"F0, median {np.median(track[voiced]):.0f} Hz" if voiced.any() else "F0: unvoiced"
    axis.plot(time, np.where(voiced, track, np.nan), color="black", linewidth=3.2)
    axis.plot(time, np.where(voiced, track, np.nan), color=_F0_COLOUR, linewidth=1.6, label=label)
    axis.set_ylim(0, highest)
    axis.set_ylabel("F0 (Hz)")
    axis.legend(loc="upper right", facecolor="black", labelcolor="white", framealpha=0.7)


def require_picture_name(target: Path, force: bool) -> None:
    """Checks that a picture can be written under this name, before it is made.

    Raises:
        OutputError: if its ending is none of a picture, or the file exists and ``force`` is false.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if target.suffix.removeprefix(".").lower() not in known:
        text = f"{target} has no ending of a picture: {', '.join(sorted(known))}"
        raise OutputError(Problem("unknown-format", text, fix=str(target.with_suffix(".png"))))
    check_target(target, force)


def save_figure(figure: Any, target: Path, force: bool) -> None:
    """Writes a matplotlib figure in the format of the ending, else as PNG.

    Raises:
        OutputError: if the file cannot be written.
    """
    with atomic_write(target, force=force) as temporary:
        figure.savefig(temporary, format=target.suffix.removeprefix(".").lower() or "png")
