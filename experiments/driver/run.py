"""Runs a compiled experiment: computes what is missing, and writes tables and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.rate_limit import RateLimit
from voicegraph.schemas.experiment_resources import Resources

from ..compiled import CompiledExperiment
from ..engines.engine import Engine, Limits, Note
from ..engines.journal import FILE_NAME, RETRY, Journal, known_failures
from ..engines.run_folder import locked
from ..engines.run_tasks import TaskRun
from ..engines.serial import Serial
from ..engines.stop_request import StopRequest, stop_by_ctrl_c
from ..file.cell_pattern import CellPattern
from ..report.page_sound import MOST_BYTES, page_sound_task
from ..report.write_report import wanted_sounds
from ..results.run import Run
from ..results.tables import Format
from ..results.write_run import write_run
from ..store import DamagedResultError, Store
from ..task import Failure, Outcome, Task
from .listener import Listener
from .selection import select_tasks
from .verification import ComparingStore, sample_of

_TIMES_DAMAGED = 3
"""How often results may be damaged while a run writes its tables."""
_TELL_S = 0.2
"""Least time between two reports of progress."""
_WORTH_WORKERS = 24
"""Sounds of a page; fewer are encoded sooner than workers begin."""
_BYTES_OF_BASE64 = 3 / 4


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is run, and how.

    Attributes:
        only: levels of the cells that are wanted; None for all.
        pilot: a few clips of every cell.
        fail_fast: stop at the first failure.
        retry_failed: try again what failed in earlier runs.
        keep_going: try all tasks of a plan, though several failed the same way.
        verify: share of stored results that is computed anew and compared.
        format: of the tables.
        command: as typed, for the manifest.
    """

    only: CellPattern | None = None
    pilot: bool = False
    fail_fast: bool = False
    retry_failed: bool = False
    keep_going: bool = False
    verify: float = 0.0
    format: Format = "parquet"
    command: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """How a run ended.

    Attributes:
        run: tables and manifest.
        store: folder of the results.
        page: the page; None if it could not be written.
        why_no_page: then the reason.
        total: number of tasks that were wanted.
        stored: of these, results that were there before.
        computed: of these, results that were computed.
        failed: tasks that failed, with how; not those that only needed them.
        untried: number of tasks that were not tried because others failed.
        differing: results that, computed anew, had other bits.
        verified: number of results that were computed anew and compared.
        stopped: whether Ctrl-C ended it.
        seconds: how long it took.
    """

    run: Run
    store: Path
    page: Path | None
    why_no_page: VoicegraphError | None
    total: int
    stored: int
    computed: int
    failed: Sequence[tuple[Task, Outcome]]
    untried: int
    differing: Sequence[tuple[Task, Outcome]]
    verified: int
    stopped: bool
    seconds: float


def limits_of(resources: Resources) -> Limits:
    """The limits of tasks that ``resources`` of a file names."""
    return Limits(
        task_seconds=resources.task_seconds,
        task_memory=resources.task_memory,
        retries=resources.retries,
        threads=resources.threads,
        deadline=None if resources.deadline is None else float(resources.deadline),
    )


@dataclass(slots=True)
class _Driver:
    """One run.

    Attributes:
        outcomes: of all tasks that ended, the newest of each.
    """

    compiled: CompiledExperiment
    folder: Path
    store: Store
    engine: Callable[[], Engine]
    limits: Limits
    options: RunOptions
    listener: Listener
    journal: Journal
    request: StopRequest
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    stored: int = 0

    def compute(self, tasks: Sequence[Task]) -> None:
        """Computes tasks, as far as they are not in the store.

        Raises:
            DiskFullError, OutputError, PipelineError, DeviceError: as :class:`TaskRun`.
        """
        known = known_failures(self.journal.path)
        engine = self.engine()
        run = self._task_run(tasks, self.store, engine, known)
        self.stored = run.progress().stored
        self._follow(run, engine, tasks, self.outcomes)

    def compare(self, tasks: Sequence[Task]) -> dict[str, Outcome]:
        """Computes stored results anew, and says how each ended."""
        outcomes: dict[str, Outcome] = {}
        if tasks:
            store = ComparingStore(self.store.path, [task.key for task in tasks])
            engine = self.engine()
            run = self._task_run(tasks, store, engine, {})
            self._follow(run, engine, tasks, outcomes)
        return outcomes

    def _task_run(
        self, tasks: Sequence[Task], store: Store, engine: Engine, failed: Mapping[str, Failure]
    ) -> TaskRun:
        return TaskRun(
            tasks,
            store,
            engine,
            limits=self.limits,
            failed=failed,
            keep_going=self.options.keep_going,
            journal=self.journal,
            stopping=self.request,
            noted=self.listener.noted,
        )

    def _follow(
        self, run: TaskRun, engine: Engine, tasks: Sequence[Task], outcomes: dict[str, Outcome]
    ) -> None:
        by_key = {task.key: task for task in tasks}
        limit = RateLimit(_TELL_S, at_once=True)  # what is left takes a while to add up
        with self.request.while_computing(engine):
            for outcome in run:
                outcomes[outcome.key] = outcome
                self.listener.ended(by_key[outcome.key], outcome)
                if limit.passes():
                    self.listener.progress(run.progress(), run.seconds_left())
                if self.options.fail_fast and outcome.failure is not None:
                    self.request.made = True

    def write(self, started: datetime, tasks: Sequence[Task]) -> Run:
        """Writes the tables; results that turn out to be damaged are computed again.

        Raises:
            OutputError: if a file cannot be written.
            DamagedResultError: if results are damaged again and again.
        """
        for attempt in range(_TIMES_DAMAGED):
            self.listener.stage("writing the tables")
            try:
                return write_run(
                    self.compiled,
                    list(self.outcomes.values()),
                    self.store,
                    self.folder,
                    format=self.options.format,
                    command=self.options.command,
                    started=started,
                )
            except DamagedResultError as error:
                self._damaged(error)
                if attempt == _TIMES_DAMAGED - 1:
                    raise
                self._find_damaged(tasks)  # one seldom comes alone
                self.compute(tasks)
        raise AssertionError

    def _find_damaged(self, tasks: Sequence[Task]) -> None:
        """Removes damaged results, so that they are made again."""
        self.listener.stage("checking all results")
        for task in tasks:
            try:
                self.store.verify(task.key)
            except DamagedResultError as error:
                self._damaged(error)
            except KeyError:  # it failed, or was not wanted
                continue

    def _damaged(self, error: DamagedResultError) -> None:
        self.journal.add("damaged", message=str(error.problems[0].message), by="tables")

    def encode(self, run: Run) -> None:
        """Has workers encode what the page plays, as far as no run has done it.

        It is done for the page's sake: what fails here is tried once more when that is written.
        """
        wanted = [page_sound_task(key, run.manifest.page.format) for key in wanted_sounds(run)]
        tasks = [
            task
            for task in wanted
            if not self.store.has(task.key) and all(map(self.store.has, task.needs))
        ]
        engine = self.engine()
        if len(tasks) < _WORTH_WORKERS or engine.name == Serial.name:
            return
        self.listener.stage("encoding the sounds of the page")
        task_run = self._task_run(tasks, self.store, engine, {})
        size = 0
        try:
            with self.request.while_computing(engine), closing(iter(task_run)) as outcomes:
                for outcome in outcomes:
                    left = task_run.seconds_left()
                    self.listener.progress(task_run.progress(), left, "sounds of the page")
                    size += outcome.size
                    if size > MOST_BYTES * _BYTES_OF_BASE64:
                        break
        except VoicegraphError as error:
            problem = error.problems[0]
            self.listener.noted(Note(problem.code, problem.message, fix=problem.fix))


def run_experiment(
    compiled: CompiledExperiment,
    folder: Path,
    store: Store,
    engine: Callable[[], Engine],
    *,
    limits: Limits | None = None,
    options: RunOptions | None = None,
    listener: Listener | None = None,
) -> FinishedRun:
    """Computes what is not in the store, and writes tables and the page into a folder.

    The same call goes on where an earlier one ended, however that was.

    Args:
        compiled: the experiment.
        folder: of the run.
        store: the results.
        engine: makes an engine.
        limits: of a task.
        options: what is run.
        listener: hears how far it is.

    Raises:
        OutputError: if another driver uses the folder, or a file cannot be written.
        DiskFullError: if there is no room for results.
        PipelineError, DeviceError: as the engine, or if no cell has the levels that are wanted.
    """
    options, listener = options or RunOptions(), listener or Listener()
    began, started = monotonic(), datetime.now(UTC)
    tasks = select_tasks(compiled, options.only, pilot=options.pilot)
    with locked(folder), closing(Journal(folder / FILE_NAME)) as journal:
        journal.add("begun", command=list(options.command), experiment=compiled.hash)
        if options.retry_failed:
            journal.add(RETRY)
        journal.flush()
        with stop_by_ctrl_c(listener.stopping) as request:
            driver = _Driver(
                compiled, folder, store, engine, limits or Limits(), options, listener,
                journal, request,
            )  # fmt: skip
            # With the lock of the folder, nobody else writes to a store that lies in it.
            ours = store.path.absolute().is_relative_to(folder.absolute())
            store.remove_unfinished(0.0 if ours else 3600.0)
            store.touch(task.key for task in tasks)
            sample = sample_of(tasks, store, options.verify)
            driver.compute(tasks)
            compared = {} if request.made else driver.compare(sample)
            stopped = request.made and not _failed_fast(options, driver.outcomes)
            run = driver.write(started, tasks)
            if not request.made:
                driver.encode(run)
            page, why = _page(run, listener)
        journal.add("ended", stopped=stopped)
        return _finished(driver, run, (page, why), tasks, compared, stopped, monotonic() - began)


def _failed_fast(options: RunOptions, outcomes: dict[str, Outcome]) -> bool:
    return options.fail_fast and any(o.failure is not None for o in outcomes.values())


def _page(run: Run, listener: Listener) -> tuple[Path | None, VoicegraphError | None]:
    """Writes the page. If that fails, the tables are there all the same."""
    listener.stage("writing the page")
    try:
        return run.report(), None
    except VoicegraphError as error:
        return None, error


def _finished(
    driver: _Driver,
    run: Run,
    page: tuple[Path | None, VoicegraphError | None],
    tasks: Sequence[Task],
    compared: dict[str, Outcome],
    stopped: bool,
    seconds: float,
) -> FinishedRun:
    from ..engines.schedule import DERIVED

    ended = [(task, driver.outcomes.get(task.key)) for task in tasks]
    failed = [(task, o) for task, o in ended if o is not None and o.failure is not None]
    own = [(t, o) for t, o in failed if o.failure is not None and o.failure.code not in DERIVED]
    return FinishedRun(
        run=run,
        store=driver.store.path,
        page=page[0],
        why_no_page=page[1],
        total=len(tasks),
        stored=driver.stored,
        computed=sum(o is not None and o.failure is None for _, o in ended),
        failed=own,
        untried=len(failed) - len(own),
        differing=[(t, compared[t.key]) for t in tasks if _differs(compared.get(t.key))],
        verified=len(compared),
        stopped=stopped,
        seconds=seconds,
    )


def _differs(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.failure is not None
