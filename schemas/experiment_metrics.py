"""What experiments can measure: ``voicegraph experiment metrics --json``."""

from __future__ import annotations

from typing import Literal

from voicegraph.schemas.report import ParamInfo, Report


class MetricInfo(Report):
    """One number."""

    name: str
    """`family.name`, a column of the results."""
    title: str
    """In tables."""
    unit: str
    """Such as `Hz`; empty for a share."""
    better: Literal["higher", "lower"] | None
    """In which direction; null if neither is."""
    low: float | None
    """Least value; null if there is none."""
    high: float | None
    """Greatest value; null if there is none."""
    ideal: float | None
    """Value of a sound that is compared with itself; null if there is none."""
    per: Literal["clip", "plan"]
    """Whether a clip has it, or a whole plan on a machine."""
    hears: dict[str, list[str]]
    """Observers, by what they hear: `output`, `source`, `given`, `target`."""
    taps: list[str]
    """Ports of the pipeline that are recorded for it."""
    text: str
    """What it is."""
    citation: str
    """Where it comes from."""


class FamilyInfo(Report):
    """What an entry of `metrics` may name."""

    name: str
    """The key in the file."""
    text: str
    """What it measures."""
    params: list[ParamInfo]
    """Its params; a value that is no mapping is that of the first one."""
    metrics: list[MetricInfo]
    """Its numbers."""
    error: str | None
    """Why it cannot be loaded."""


class NeedInfo(Report):
    """A package."""

    package: str
    """Its name on the package index, with the versions that are accepted."""
    installed: str | None
    """The installed version; null if it is not installed."""


class ObserverInfo(Report):
    """A network or tracker that hears a sound."""

    name: str
    """As metrics name it."""
    text: str
    """What it keeps."""
    rate: int
    """Sample rate at which it hears, in Hz."""
    version: int
    """Counted up when its numbers change."""
    needs: list[NeedInfo]
    """Packages outside voicegraph's own."""
    install: str | None
    """The command that installs what is missing; null if nothing is."""
    licence: str
    """Of packages and weights."""
    origins: dict[str, str]
    """What it learned from: a system of the same origin is not judged independently."""
    source: str
    """Citation."""
    error: str | None
    """Why it cannot be loaded."""


class ConditionInfo(Report):
    """What can happen to a clip before a system gets it."""

    name: str
    """The key in the file."""
    text: str
    """What it does."""
    params: list[ParamInfo]
    """Its params, all of them keys of the level."""
    error: str | None
    """Why it cannot be loaded."""


class MetricsReport(Report):
    """The report."""

    families: list[FamilyInfo]
    """What entries of `metrics` may name."""
    observers: list[ObserverInfo]
    """Who hears."""
    conditions: list[ConditionInfo]
    """What a level may do to clips."""
