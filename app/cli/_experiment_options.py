"""What the commands of ``voicegraph experiment`` share: arguments, options, and how they load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.startup_stages import begin_stage

from ._options import argument, option
from ._startup import import_torch

if TYPE_CHECKING:
    from voicegraph.experiments.file.loaded_experiment import LoadedExperiment
    from voicegraph.experiments.store.store import Store

ExperimentArg = Annotated[
    str, argument("FILE", "An experiment file (.yaml), or the name of a shipped experiment.")
]
"""``experiment: ExperimentArg``: a path or a shipped name."""

ExperimentSetOption = Annotated[
    list[str] | None,
    option(
        "PATH=VALUE",
        "Override a value of the file: `clips.draw.speakers=4`, `seeds=[1, 2]`. The value is "
        "YAML. May be repeated.",
        "--set",
    ),
]
"""``set_args: ExperimentSetOption = None``."""

ExperimentProfileOption = Annotated[
    list[str] | None,
    option("NAME", "Apply a set of overrides from the file's `profiles`.", "--profile"),
]
"""``profiles: ExperimentProfileOption = None``."""

MetricsFileOption = Annotated[
    list[Path] | None,
    option(
        "FILE",
        "A Python file with metrics, observers or conditions of your own. May be repeated.",
        "--metrics-file",
    ),
]
"""``metrics_files: MetricsFileOption = None``."""


def load_experiment_file(
    experiment: str,
    set_args: Sequence[str] | None,
    profiles: Sequence[str] | None,
    metrics_files: Sequence[Path] | None = None,
) -> LoadedExperiment:
    """Loads the experiment that the arguments of a command name.

    Mistakes in references are kept, to be told together with those of the grid.

    Raises:
        PipelineError: with every mistake found.
    """
    import_torch()
    from dataclasses import replace

    from voicegraph.experiments.file.load import load_experiment

    begin_stage(f"reading {experiment}")
    loaded = load_experiment(
        experiment, None, tuple(set_args or ()), tuple(profiles or ()), keep_going=True
    )
    further = tuple(path.absolute() for path in metrics_files or ())
    return replace(loaded, metrics_files=(*loaded.metrics_files, *further))


def store_of(loaded: LoadedExperiment, run_folder: Path) -> Store:
    """The store that an experiment names.

    Args:
        loaded: the experiment.
        run_folder: of the run, in which the store lies with ``store: null``.
    """
    from voicegraph.experiments.grid.compile import store_folder
    from voicegraph.experiments.store.store import Store

    return Store(store_folder(loaded, run_folder))


def default_run_folder(name: str) -> Path:
    """Where a run is written if no folder is given: ``results/NAME`` in the current folder."""
    return Path("results") / name
