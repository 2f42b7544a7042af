"""Experiments in Python: loaded from a file or made of values, checked, run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.schemas.experiment_check import ExperimentCheckReport

from ..compiled import CompiledExperiment
from ..engines.engine import Engine
from ..engines.processes import Processes
from ..engines.serial import Serial
from ..file.cell_pattern import CellPattern
from ..file.load import load_experiment, load_mapping
from ..file.loaded_experiment import LoadedExperiment
from ..grid.check import check_report
from ..grid.check_text import check_text
from ..grid.compile import compile_experiment, store_folder
from ..results.run import Run
from ..results.tables import Format
from ..store import Store
from ..task import Outcome, Progress, Task
from .listener import Listener
from .requirements import require_packages
from .run import RunOptions, limits_of, run_experiment


def swap(node: str, *levels: str, **named: str | Mapping[str, Any]) -> dict[str, Any]:
    """A factor that swaps a node of the pipeline.

    ``swap("f0", "f0.dio", "my.yin")`` has the levels ``dio`` and ``yin``;
    ``swap("f0", slow={"use": "f0.dio", "params": {"context": "1s"}})`` the level ``slow``.

    Args:
        node: its name in the pipeline.
        levels: kinds of nodes; the part after the dot names the level, or all of it where two
            would have the same name.
        named: levels under other names: a kind of node, or ``use`` with params.

    Raises:
        ValueError: if there is no level.
    """
    if not levels and not named:
        raise ValueError("a swap needs at least one level, such as 'f0.dio'")
    short = [level.rpartition(".")[2] for level in levels]
    names = [
        level if short.count(name) > 1 or name in named else name
        for level, name in zip(levels, short, strict=True)
    ]
    return {"swap": node, "levels": {**dict(zip(names, levels, strict=True)), **named}}


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of an experiment before it runs; printed it is a text.

    Attributes:
        compiled: everything.
        report: the same as plain data.
    """

    compiled: CompiledExperiment
    report: ExperimentCheckReport

    def __str__(self) -> str:
        return check_text(self.report)

    __repr__ = __str__


class Experiment:
    """An experiment: factors over pipelines, what is measured, and what is compared.

    The keys are those of an experiment file: docs/experiments.md describes them. Values of Python
    (paths, tuples) may stand for those of YAML.

    Args:
        clips: recordings: a folder, a pattern, a CSV file, a list of these, or the keys of
            ``clips``; None is the bundled recording.
        factors: factor -> its levels; :func:`swap` makes one.
        metrics: names, and mappings of a name to params.
        name: names the run.
        keys: further keys of the file, such as ``pipeline``, ``compare``, ``targets``.

    Raises:
        PipelineError: with every mistake.
    """

    def __init__(
        self,
        *,
        clips: str | Path | Sequence[str | Path] | Mapping[str, Any] | None = None,
        factors: Mapping[str, Any] | None = None,
        metrics: Sequence[str | Mapping[str, Any]] = (),
        name: str = "experiment",
        **keys: Any,
    ) -> None:
        data: dict[str, Any] = {"version": 1, **keys, "metrics": metrics}
        if clips is not None:
            data["clips"] = clips if isinstance(clips, Mapping) else {"files": clips}
        if factors is not None:
            data["factors"] = factors
        self.loaded = load_mapping(_plain(data), name=name)

    @classmethod
    def load(
        cls,
        source: str | Path,
        overrides: Mapping[str, object] | None = None,
        *,
        profiles: Sequence[str] = (),
    ) -> Experiment:
        """An experiment of a file, or a shipped one by name.

        Args:
            source: the file, or the name.
            overrides: values by dotted path, such as ``{"clips.draw.speakers": 4}``.
            profiles: names of sets of overrides in the file.

        Raises:
            PipelineError: with every mistake.
        """
        return cls._of(load_experiment(source, _plain(overrides or {}), (), tuple(profiles)))

    @classmethod
    def _of(cls, loaded: LoadedExperiment) -> Experiment:
        made = cls.__new__(cls)
        made.loaded = loaded
        return made

    def __repr__(self) -> str:
        return f"Experiment({self.loaded.name!r})"

    def with_metrics_files(self, *files: str | Path) -> Experiment:
        """The same experiment with further Python files of observers, metrics or conditions."""
        added = tuple(Path(path).absolute() for path in files)
        loaded = replace(self.loaded, metrics_files=(*self.loaded.metrics_files, *added))
        return self._of(loaded)

    def check(self, folder: str | Path | None = None) -> Check:
        """Compiles every plan, and says what a run would do. Runs and writes nothing.

        Args:
            folder: of the run; by default ``results/NAME``.

        Raises:
            PipelineError: with all mistakes of all cells at once.
        """
        store = self._store(self._folder(folder))
        compiled = compile_experiment(self.loaded, store=store)
        return Check(compiled, check_report(compiled, store))

    def run(
        self,
        folder: str | Path | None = None,
        *,
        engine: Engine | None = None,
        workers: int | None = None,
        on_result: Progress | None = None,
        only: str | None = None,
        pilot: bool = False,
        retry_failed: bool = False,
        keep_going: bool = False,
        format: Format = "parquet",  # noqa: A002 - the option's name
    ) -> Run:
        """Computes what is missing, and writes tables and the page.

        What was computed once is never computed again. What fails is told by
        :meth:`~voicegraph.experiments.results.run.Run.failures`; all else goes on. A script that
        computes in processes needs ``if __name__ == "__main__":`` around this call.

        Args:
            folder: of the run; by default ``results/NAME``.
            engine: where it is computed; by default in processes of this machine.
            workers: their number: by default one a core, 1 computes in this process.
            on_result: called in this process after each task.
            only: levels of the cells that are wanted, such as ``"tracker=dio, noise=pink*"``.
            pilot: a few clips of every cell.
            retry_failed: try again what failed in earlier runs.
            keep_going: try all clips of a plan, though several failed the same way.
            format: of the tables.

        Raises:
            PipelineError: if the experiment is wrong, or a package is missing.
            OutputError: if another driver uses the folder, or a file cannot be written.
            ValueError: if both ``engine`` and ``workers`` are given.
        """
        made = _engine(engine, workers)
        require_packages("processes" if isinstance(made, Processes) else "serial", format)
        place = self._folder(folder)
        store = self._store(place)
        options = RunOptions(
            only=_pattern(only), pilot=pilot, retry_failed=retry_failed, keep_going=keep_going,
            format=format, command=("Experiment.run", self.loaded.name),
        )  # fmt: skip
        finished = run_experiment(
            compile_experiment(self.loaded, store=store, resolve=True),
            place,
            store,
            lambda: made,
            limits=limits_of(self.loaded.file.resources),
            options=options,
            listener=_Calling(on_result),
        )
        if finished.why_no_page is not None:
            warnings.warn(f"there is no page: {finished.why_no_page}", stacklevel=2)
        return finished.run

    def _folder(self, given: str | Path | None) -> Path:
        return Path("results") / self.loaded.name if given is None else Path(given)

    def _store(self, folder: Path) -> Store:
        return Store(store_folder(self.loaded, folder))


class _Calling(Listener):
    """Calls a function after each task."""

    def __init__(self, call: Callable[[Outcome], None] | None) -> None:
        self._call = call

    def ended(self, task: Task, outcome: Outcome) -> None:
        if self._call is not None:
            self._call(outcome)


def _engine(engine: Engine | None, workers: int | None) -> Engine:
    if engine is not None and workers is not None:
        raise ValueError("give either engine or workers: an engine has its own")
    return engine or (Serial() if workers == 1 else Processes(workers))


def _pattern(text: str | None) -> CellPattern | None:
    if text is None:
        return None
    try:
        return CellPattern.parse(text)
    except ValueError as error:
        raise PipelineError(Problem("wrong-pattern", f"only={text!r}: {error}")) from None


def _plain(value: Any) -> Any:
    """Values as YAML has them: text for paths, lists for tuples."""
    match value:
        case Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value
