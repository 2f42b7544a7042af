"""Contracts of what is measured: observers, metrics and conditions; plug-ins are written to them.

An observer hears one sound and keeps arrays, which are stored; a metric makes one number of such
observations in milliseconds, and is computed anew each time. So a new metric converts nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from .clip import Clip
from .task import Arrays


class Params(BaseModel):
    """Base of params: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a network learned from; two networks of a common origin do not judge each other.

    Attributes:
        name: of the data or teacher, such as ``hama``.
        what: in words.
    """

    name: str
    what: str = ""


class Observer(ABC):
    """Hears a sound. One instance lives in a worker's process and hears many.

    Attributes:
        name: ``family.name``, set by :func:`~voicegraph.experiments.observers.observer`.
        version: counted up when its numbers change.
        rate: sample rate at which it hears, in Hz.
        package: what ``pip`` installs for it; None if nothing is needed.
        module: what is imported of it.
        licence: of package and weights.
        origins: what its networks learned from.
        source: citation.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    rate: ClassVar[int] = 16000
    package: ClassVar[str | None] = None
    module: ClassVar[str | None] = None
    licence: ClassVar[str] = ""
    origins: ClassVar[tuple[Origin, ...]] = ()
    source: ClassVar[str] = ""
    params: ClassVar[type[Params]] = Params

    def __init__(self, params: Params) -> None:
        self.given = params

    def load(self) -> None:  # noqa: B027 - most have nothing to load
        """Loads networks, once in a process, on one thread."""

    @abstractmethod
    def observe(self, audio: np.ndarray) -> Arrays:
        """Hears float32 ``[samples]`` at ``rate``, finite.

        Raises:
            NotMeasured: if nothing can be said about this sound.
        """


class NotMeasured(Exception):  # noqa: N818 - a result, not an error
    """There is no number for this sound; the text says why, such as ``no voiced frame``."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a metric gets about one clip of one cell.

    Attributes:
        made: observations of the output, by observer.
        source: observations of the clean clip, by observer.
        given: observations of what the system got: the clip under its condition.
        targets: observations of the target's held-out speech, one mapping an utterance.
        taps: recorded ports of the pipeline by name, ``[frames]`` or ``[frames, channels]``.
        truth: what is known of the clip under its condition, such as ``f0`` in Hz ``[frames]``.
        clip: the clip.
        rates: of taps and truth, in Hz.
    """

    made: Mapping[str, Arrays]
    source: Mapping[str, Arrays]
    given: Mapping[str, Arrays]
    targets: Sequence[Mapping[str, Arrays]] = ()
    taps: Arrays = field(default_factory=dict)
    truth: Arrays = field(default_factory=dict)
    clip: Clip | None = None
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number a clip.

    Attributes:
        name: ``family.name``, such as ``likeness.target``; a column of the results.
        title: in tables.
        measure: computes it; raises :class:`NotMeasured` where there is none.
        made: observers that hear the output.
        source: observers that hear the clean clip.
        given: observers that hear the clip under its condition.
        targets: observers that hear the target's held-out speech.
        taps: ports that are recorded.
        better: in which direction; None if neither is.
        unit: such as ``Hz``; empty for a share.
        span: least and greatest value.
        ideal: value of a sound that is compared with itself.
        digits: after the decimal point in tables.
        text: what it is, in a sentence.
        citation: where it comes from.
    """

    name: str
    title: str
    measure: Callable[[Heard], float]
    made: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    taps: tuple[str, ...] = ()
    better: Literal["higher", "lower"] | None = None
    unit: str = ""
    span: tuple[float, float] = (-np.inf, np.inf)
    ideal: float | None = None
    digits: int = 3
    text: str = ""
    citation: str = ""


class MetricFamily(ABC):
    """An entry of ``metrics`` in an experiment: params, and the numbers that they ask for.

    Attributes:
        name: key in the file, such as ``likeness``.
        text: what it measures.
        params: of the entry.
    """

    name: ClassVar[str] = ""
    text: ClassVar[str] = ""
    params: ClassVar[type[Params]] = Params

    @abstractmethod
    def metrics(self, given: Params) -> Sequence[Metric]:
        """The numbers."""

    def observer_params(self, given: Params) -> Mapping[str, Mapping[str, Any]]:
        """Params of observers, by observer; those of others are the defaults."""
        return {}


class Condition(ABC):
    """Changes a clip before a system gets it: noise, a room, a line.

    Attributes:
        name: key in the file, such as ``noise``.
        version: counted up when its numbers change.
        text: what it does.
        params: of the entry.
        package: as of an observer.
        module: as of an observer.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    text: ClassVar[str] = ""
    params: ClassVar[type[Params]] = Params
    package: ClassVar[str | None] = None
    module: ClassVar[str | None] = None

    @abstractmethod
    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Changes float32 ``[samples]``.

        Args:
            audio: the clip, finite.
            rate: in Hz.
            given: params.
            seed: of everything random; made of the experiment's seed and the clip's name.

        Returns:
            The sound, equally long, and what is known about it (``f0`` in Hz ``[frames]`` at
            200 Hz of a resynthesis), or nothing.
        """
