"""The figure of ``index compress --suggest``: size against error, for each number of lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.graph.metrics.spectrogram_figure import save_figure
from voicegraph.schemas.index_report import IndexSuggestions, TriedSearch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST = 1e-4
"""Errors below this are drawn here: they are nobody's concern, and 0 has no place on the scale."""


def draw(report: IndexSuggestions, target: Path, *, force: bool = False) -> None:
    """Writes a picture.

    Left: size and error of every type, a line for each number of lists that are searched.
    Right: time and error, a line for each type.

    Args:
        report: what was tried.
        target: the file; its ending chooses the format.
        force: replace an existing file.

    Raises:
        OutputError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.2), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _sizes(left, report)
    _times(right, report)
    figure.suptitle(
        f"{report.vectors} vectors of {report.dimension} values in {report.lists} lists; "
        f"blend at rate {report.rate:g}"
    )
    save_figure(figure, target, force)


def _sizes(axes: Axes, report: IndexSuggestions) -> None:
    probes = sorted({each.probes or 0 for each in report.tried})
    shades = _shades(len(probes))
    for colour, count in zip(shades, probes, strict=True):
        points = [each for each in report.tried if (each.probes or 0) == count]
        x = [each.size_bytes / 1e6 for each in points]
        axes.plot(x, _errors(points), "o-", color=colour, label=f"{count}", markersize=5)
    widest = [each for each in report.tried if (each.probes or 0) == probes[-1]]
    for each, error in zip(widest, _errors(widest), strict=True):
        place = (each.size_bytes / 1e6, error)
        beside = each.type.startswith("pq")  # a rotated one is next to it, and lower
        offset, side = ((-7, -5), "right") if beside else ((0, -12), "center")
        axes.annotate(each.type, place, offset, textcoords="offset points", ha=side)
    source = report.before
    axes.plot(
        [source.size_bytes / 1e6], [max(source.blend, _SMALLEST)], "x", color="#c92a2a",
        markersize=10, markeredgewidth=2, label=f"the file, {source.probes or 'all'}",
    )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="size (MB)", ylabel="error of the blend")
    axes.margins(0.08, 0.12)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(title="lists searched", fontsize=8)


def _times(axes: Axes, report: IndexSuggestions) -> None:
    types = list(dict.fromkeys(each.type for each in report.tried))
    for number, name in enumerate(types):
        points = [each for each in report.tried if each.type == name]
        x = [each.search_ms for each in points]
        axes.plot(x, _errors(points), "o-", color=f"C{number}", label=name, markersize=5)
    axes.set(xscale="log", xlabel="search of 12 frames (ms of one core)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(title="type", fontsize=8)


def _errors(points: list[TriedSearch]) -> list[float]:
    return [max(each.blend, _SMALLEST) for each in points]


def _shades(count: int) -> list[tuple[float, ...]]:
    from matplotlib import colormaps

    return [colormaps["viridis"](0.9 * n / max(count - 1, 1)) for n in range(count)]
