"""The figure of a training: what validation on held-out speakers found, by step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from voicegraph.graph.files.atomic_write import atomic_write

CASES = {
    "": ("stream", "#1f77b4"),
    " 10 dB": ("stream, 10 dB of noise", "#d95f02"),
    " room": ("stream, in a room", "#1b9e77"),
    " whole": ("whole utterance as context", "#7b3294"),
}
"""Endings of the names in the log, with title and colour."""
_FIGURES = ("cosine", "phone error")


def draw(log: Path, target: Path) -> None:
    """Writes a PNG; an existing one is replaced.

    Args:
        log: ``losses.jsonl`` of the training, a line for each validation.
        target: the file.
    """
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    rows = list({line["step"]: line for line in lines}.values())  # resumed steps count once
    figure = Figure(figsize=(11, 4), dpi=100, layout="constrained")
    axes = figure.subplots(1, len(_FIGURES))
    for axis, name in zip(axes, _FIGURES, strict=True):
        for ending, (title, colour) in CASES.items():
            values = [row.get(name + ending, np.nan) for row in rows]  # not all in older logs
            axis.plot([row["step"] for row in rows], values, ".-", color=colour, label=title)
        axis.set_title(name)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    titles = axes[0].get_legend_handles_labels()
    figure.legend(*titles, loc="outside lower center", ncols=len(CASES))
    figure.suptitle("Held-out readers while the encoder learns")
    with atomic_write(target, force=True) as path:
        figure.savefig(path, format="png")
