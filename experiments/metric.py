"""Contracts of what is measured: observers, metrics and conditions; plug-ins are written to them.

An observer hears one sound and keeps arrays, which are stored; a metric makes one number of such
observations in milliseconds, and is computed anew each time. So a new metric converts nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from voicegraph.graph.node_params import NodeParams

from .clip import Clip
from .task import Arrays


class Params(NodeParams):
    """Base of params: frozen, unknown keys refused. A docstring below a field describes it."""

    def located(self, folder: Path) -> Self:
        """The params with absolute names of files.

        Args:
            folder: what relative names are relative to.

        Raises:
            ValueError: if a file is missing; the text is shown to the user.
        """

        def here(path: Path) -> Path:
            whole = (folder / path.expanduser()).absolute()
            if not whole.is_file():
                raise ValueError(f"there is no file {whole}")
            return whole

        return self._changed(lambda value: _moved(value, here, lambda p: p.located(folder)))

    def read_files(self) -> tuple[Path, ...]:
        """Files that are read, of located params; their contents decide the numbers."""
        return tuple(path for value in self._values().values() for path in _paths(value))

    def with_files(self, places: Mapping[Path, Path]) -> Self:
        """The same params, with files at other places: on a worker that has copies of them."""

        def there(path: Path) -> Path:
            return places.get(path, path)

        return self._changed(lambda value: _moved(value, there, lambda p: p.with_files(places)))

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def _changed(self, change: Callable[[Any], Any]) -> Self:
        held = self._values()
        made = {name: change(value) for name, value in held.items()}
        # Params that are equal stay the same, with what was set by the user marked as such.
        return self.model_copy(update={n: v for n, v in made.items() if v != held[n]})


def _paths(value: Any) -> tuple[Path, ...]:
    """Paths in a param: itself, or those of a tuple or of nested params."""
    if isinstance(value, Params):
        return value.read_files()
    if isinstance(value, tuple):
        return tuple(path for member in value for path in _paths(member))
    return (value,) if isinstance(value, Path) else ()


def _moved(value: Any, path: Callable[[Path], Path], nested: Callable[[Params], Params]) -> Any:
    """A param with every path changed by ``path``, and nested params by ``nested``."""
    if isinstance(value, Params):
        return nested(value)
    if isinstance(value, tuple):
        return tuple(_moved(member, path, nested) for member in value)
    return path(value) if isinstance(value, Path) else value


@dataclass(frozen=True, slots=True)
class Need:
    """A package from the package index that a plug-in imports, or whose files it reads.

    Attributes:
        package: its name there.
        module: what is imported, or looked up.
        version: the versions that are accepted, such as ``==0.0.1.1``; empty for any.
        alone: whether it is installed without its own dependencies, since none is used here.
        weights: files and folders below the module's folder that hold what a network learned; runs
            record their SHA-256.
    """

    package: str
    module: str
    version: str = ""
    alone: bool = False
    weights: tuple[str, ...] = ()


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
        shortest_s: shorter sounds are not measured.
        hears_silence: whether silence is measured; if not, a sound without a sample above -80 dB
            of full scale is not.
        needs: packages outside voicegraph's own dependencies.
        licence: of packages and weights.
        origins: what its networks learned from.
        source: citation.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    rate: ClassVar[int] = 16000
    shortest_s: ClassVar[float] = 0.1
    hears_silence: ClassVar[bool] = False
    needs: ClassVar[tuple[Need, ...]] = ()
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
        made: observers that hear the output, each as text: ``name``, or ``name{params}`` as
            :func:`~voicegraph.experiments.observers.spell` writes it.
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
        per: whether a clip has a number, or a whole plan on a machine has, as costs do; ``measure``
            of these is never called.
        monotone: whether more noise in the output never makes the value better; then conformance
            checks it.
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
    per: Literal["clip", "plan"] = "clip"
    monotone: bool = False


class MetricFamily(ABC):
    """An entry of ``metrics`` in an experiment: params, and the numbers that they ask for.

    Attributes:
        name: key in the file, such as ``likeness``.
        text: what it measures.
        params: of the entry; a value that is no mapping is that of the first one, as in
            ``quality: [dnsmos, distillmos]``.
        examples: entries that together show all numbers of the family, for lists and editors.
    """

    name: ClassVar[str] = ""
    text: ClassVar[str] = ""
    params: ClassVar[type[Params]] = Params
    examples: ClassVar[tuple[Any, ...]] = (None,)

    @abstractmethod
    def metrics(self, given: Params) -> Sequence[Metric]:
        """The numbers. Params of observers stand in their names (``Metric.made``)."""


TRUTH_HZ = 200.0
"""Frame rate of what a condition knows about its sound."""


class Condition(ABC):
    """Changes a clip before a system gets it: noise, a room, a line.

    Attributes:
        name: key in the file, such as ``noise``.
        version: counted up when its numbers change.
        text: what it does.
        params: of the whole level, so one of them is called as the condition is: ``gain: -20``,
            ``{noise: pink, snr: 20}``.
        needs: packages outside voicegraph's own dependencies.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    text: ClassVar[str] = ""
    params: ClassVar[type[Params]] = Params
    needs: ClassVar[tuple[Need, ...]] = ()

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
            :data:`TRUTH_HZ`, frame k at k / 200 s), or nothing.
        """
