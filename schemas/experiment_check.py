"""What is known of an experiment before it runs: ``voicegraph experiment check --json``."""

from __future__ import annotations

from voicegraph.schemas.report import ProblemReport, Report


class TaskCount(Report):
    """Tasks of one kind."""

    kind: str
    """`input`, `convert`, `observe` or `cost`."""
    tasks: int
    """How many there are, each distinct one once."""
    cached: int
    """How many have a result in the store."""


class ExcludedCell(Report):
    """A combination that does not run."""

    cell: str
    """Its name."""
    why: str
    """The pattern that excludes it, or the requirement that its plan breaks."""


class SideEffectReport(Report):
    """What a level changes besides itself."""

    factor: str
    """The factor."""
    level: str
    """The level."""
    baseline: str
    """The level that it is compared with."""
    what: str
    """What differs, such as `f0.fill`."""
    before: str
    """Its value with the baseline."""
    after: str
    """Its value with the level."""


class DependenceReport(Report):
    """A metric that is not independent of a system."""

    metric: str
    """The metric."""
    system: str
    """The system."""
    origin: str
    """What both learned from, or what both are."""
    why: str
    """Where that is stated."""


class ContrastReport(Report):
    """One family of tests."""

    vary: str
    """The factor."""
    baseline: str
    """The level that others are compared with."""
    levels: list[str]
    """The others."""
    within: list[str]
    """Factors that are held."""
    metrics: list[str]
    """What is compared."""
    tests: int
    """Number of tests."""
    family: int = 0
    """Those of clips, which are corrected together; costs and latencies have no speakers."""
    test: str
    """How p is computed."""
    correct: str
    """How it is corrected for the number of tests."""


class ExperimentCheckReport(Report):
    """An experiment as it is compiled."""

    name: str
    """Its name."""
    path: str | None
    """The file."""
    ok: bool
    """Whether it can run; if not, there are problems and nothing else."""
    problems: list[ProblemReport] = []
    """All mistakes, with places and fixes."""
    warnings: list[ProblemReport] = []
    """What is allowed and probably not meant."""
    cells: int = 0
    """Combinations of levels."""
    excluded: list[ExcludedCell] = []
    """Those that do not run."""
    factors: dict[str, list[str]] = {}
    """Levels of each factor."""
    clips: int = 0
    """Recordings."""
    speakers: int = 0
    """Who speaks in them: the unit of all statistics."""
    targets: list[str] = []
    """Target voices."""
    seeds: list[int] = []
    """Seeds."""
    plans: int = 0
    """Distinct plans."""
    tasks: list[TaskCount] = []
    """Tasks by kind."""
    store: str | None = None
    """The folder of results; null: inside of the run's folder, which is empty before a run."""
    core_minutes: float = 0.0
    """Estimated computing time of what is not cached, on one core."""
    megabytes: float = 0.0
    """Estimated size of what is not cached."""
    measured: float = 0.0
    """Share of the tasks whose time is known from earlier ones; the rest is a rule of thumb."""
    undecided: list[str] = []
    """Nodes with `dtype: auto`, whose precision is tried at the first run."""
    side_effects: list[SideEffectReport] = []
    """What levels change besides themselves."""
    dependences: list[DependenceReport] = []
    """Metrics that are not independent of systems."""
    contrasts: list[ContrastReport] = []
    """What is tested."""
