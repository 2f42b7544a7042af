"""What a run over files did: the models behind ``voicegraph run --json`` and ``demo --json``."""

from __future__ import annotations

from voicegraph.schemas.report import ProblemReport, Report


class SoundFile(Report):
    """A sound file that was read or written."""

    path: str
    """The file, as it was named."""
    encoding: str
    """Container and encoding, as libsndfile calls them."""
    rate_hz: int
    """Samples a second."""
    channels: int
    """Number of channels."""
    frames: int
    """Samples a channel."""
    seconds: float
    """Duration."""


class FileReport(Report):
    """One file through one pipeline."""

    pipeline: str
    """Name of the pipeline."""
    plan: str
    """Hash of the compiled plan."""
    source: SoundFile
    """The input; frames and seconds are what was read."""
    target: SoundFile
    """The output."""
    latency_ms: float
    """Algorithmic latency, which was taken off the output."""
    process_s: float
    """Time taken, without loading and warm-up."""
    real_time_factor: float
    """``process_s`` per second of input; below 1 is faster than real time."""
    peak_db: float | None
    """Peak before clipping, in dB of full scale; null is silence."""
    clipped: int
    """Output values beyond full scale, set to full scale."""
    silenced_blocks: int
    """Blocks with NaN or infinity that became silence."""
    stopped: bool
    """Whether it was interrupted; the output ends there."""
    taps: dict[str, str]
    """Tapped port -> file."""
    trace: str | None
    """The trace file."""
    notes: tuple[str, ...]
    """What a person should know."""


class FailedFile(Report):
    """A file that could not be converted."""

    path: str
    """The input."""
    error: str
    """Class of the error."""
    exit_code: int
    """Exit code that this error alone would give."""
    problems: list[ProblemReport]
    """What is wrong."""


class RunReport(Report):
    """Everything one ``voicegraph run`` did."""

    files: list[FileReport]
    """Files that were written."""
    failed: list[FailedFile]
    """Files that were not."""
    skipped: int
    """Files in folders that are no audio."""
    stopped: bool
    """Whether Ctrl-C ended the run."""
