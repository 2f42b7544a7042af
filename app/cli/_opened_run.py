"""Runs of experiments, by their folder, or by the experiment that was run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.graph.errors import InputError, Problem

from ._experiment_options import default_run_folder

if TYPE_CHECKING:
    from voicegraph.experiments.results.run import Run

_FILES = (".yaml", ".yml")


def opened_run(given: str | Path) -> Run:
    """A run: of a folder, or, of an experiment's file or name, what lies in ``results/NAME``.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    from voicegraph.experiments.results.run import Run

    path = Path(given)
    if path.is_dir():
        return Run.open(path)
    is_file = path.suffix.lower() in _FILES
    is_name = len(path.parts) == 1 and not path.exists()
    if not is_file and not is_name:
        return Run.open(path)
    folder = default_run_folder(path.stem if is_file else path.name)
    if folder.is_dir():
        return Run.open(folder)
    text = f"{given} is not the folder of a run, and there is none in {folder}"
    known = path.is_file() or (is_name and _is_shipped(path.name))
    fix = f"voicegraph experiment run {given}" if known else "voicegraph experiment run FILE"
    raise InputError(Problem("no-run", text, fix=f"{fix}\nor name the folder of its run"))


def _is_shipped(name: str) -> bool:
    from voicegraph.graph.loading.file_kind import EXPERIMENTS

    return name in EXPERIMENTS.shipped()
