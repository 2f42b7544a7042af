"""What ``voicegraph experiment run --json`` and ``gc --json`` print."""

from __future__ import annotations

from voicegraph.schemas.report import ProblemReport, Report


class FailedTask(Report):
    """A task that has no result."""

    key: str
    """Of its result; the journal has it, too."""
    kind: str
    """``input``, ``convert``, ``observe`` or ``cost``."""
    label: str
    """The cell and the clip."""
    code: str
    """A stable short name, such as ``node-failed``, ``late`` or ``process-ended``."""
    message: str
    """One sentence."""
    node: str | None
    """The node of the pipeline that failed, if it was one."""
    second: float | None
    """Where in the clip."""
    fix: str | None
    """What to type."""
    attempts: int
    """How often it was started."""


class ExperimentRunReport(Report):
    """How a run of an experiment ended."""

    folder: str
    """Tables, manifest, journal."""
    page: str | None
    """The page; null if it could not be written."""
    store: str
    """Where results are kept."""
    total: int
    """Tasks that were wanted."""
    stored: int
    """Of these, results that were there before."""
    computed: int
    """Of these, results that were computed now."""
    untried: int
    """Tasks that were not tried, because others failed."""
    failed: list[FailedTask]
    """Tasks that failed."""
    verified: int
    """Results that were computed anew and compared."""
    differing: list[FailedTask]
    """Of these, results that had other bits, or could not be computed."""
    problems: list[ProblemReport]
    """Why there is no page."""
    stopped: bool
    """Whether Ctrl-C ended the run; the same command goes on."""
    seconds: float
    """How long it took."""
    exit_code: int
    """0, 1 if results differ, 8 if tasks failed, 130 if it was stopped."""


class StoreReport(Report):
    """What ``voicegraph experiment gc`` has removed, or would."""

    store: str
    """The folder."""
    dry: bool
    """Whether nothing was removed."""
    removed: int
    """Results that no run has used for long."""
    leftovers: int
    """Files that belong to no result."""
    freed_bytes: int
    """Size of both."""
    kept: int
    """Results that stay."""
    kept_bytes: int
    """Their size."""
