"""Reading what tasks made: observations once each, sounds only where a metric asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..compiled import CompiledExperiment, Item
from ..evaluation import Observations
from ..metric import Heard, Metric
from ..task import Arrays, Result, Results


class MissingError(Exception):
    """A result that a metric needs is not there.

    Attributes:
        key: of the result; None if it is no part of the experiment.
        what: names it.
    """

    def __init__(self, key: str | None, what: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what


class _Lazy(Mapping[str, object]):
    """A mapping that is read when somebody asks for it."""

    def __init__(self, read: Callable[[], Mapping[str, object]]) -> None:
        self._read = read
        self._found: Mapping[str, object] | None = None

    def _all(self) -> Mapping[str, object]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __getitem__(self, name: str) -> object:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Reader:
    """Gives metrics what they hear.

    Args:
        compiled: the experiment.
        store: its results.
    """

    def __init__(self, compiled: CompiledExperiment, store: Results) -> None:
        self._compiled = compiled
        self._store = store
        self._kept: dict[str, Result] = {}
        self._of = {cell.name: cell for cell in compiled.cells}

    def heard(self, metric: Metric, item: Item) -> Heard:
        """What a metric gets about one clip of one cell.

        Raises:
            MissingError: if a result is missing.
        """
        made, given = _Lazy(lambda: self._side(item.made)), _Lazy(lambda: self._side(item.given))
        source = self._observations(item.source, metric.source)
        if self._of[item.cell].kind == "target":
            source = Observations({}, "the target's own speech has no source")
        return Heard(
            made=self._observations(item.made, metric.made),
            source=source,
            given=self._observations(item.given, metric.given),
            targets=self._targets(item, metric.targets) if metric.targets else (),
            taps=_Lazy(lambda: _prefixed(made["arrays"], "tap.")),  # pyright: ignore[reportArgumentType]
            truth=_Lazy(lambda: _prefixed(given["arrays"], "truth.")),  # pyright: ignore[reportArgumentType]
            clip=item.clip,
            rates=_Lazy(  # pyright: ignore[reportArgumentType]
                lambda: {**_rates(given["about"], "truth."), **_rates(made["about"], "tap.")}
            ),
        )

    def _side(self, sound: str) -> Mapping[str, object]:
        """What is known of a sound besides its samples."""
        found = self._read(sound, "the sound")
        return {"arrays": found.arrays, "about": found.about}

    def _observations(self, sound: str, observers: Sequence[str]) -> Observations:
        return Observations({name: self._observation(sound, name) for name in observers})

    def _observation(self, sound: str, observer: str) -> Result:
        key = self._compiled.observed.get((sound, observer))
        if key is None:
            raise MissingError(None, f"{observer} was not asked for")
        if key not in self._kept:
            self._kept[key] = self._read(key, observer)
        return self._kept[key]

    def _targets(self, item: Item, observers: Sequence[str]) -> list[Observations]:
        """Of each utterance of the target; those on which nothing can be said raise when used.

        An utterance of the target's own speech is compared with the others, if there are any.
        """
        target = self._of[item.cell].target
        sounds = self._compiled.target_sounds.get(target or "", ())
        others = [sound for sound in sounds if sound != item.made]
        return [self._observations(sound, observers) for sound in others or sounds]

    def _read(self, key: str, what: str) -> Result:
        try:
            return self._store.read(key)
        except KeyError as error:
            if type(error) is not KeyError:  # damaged: who runs the experiment makes it again
                raise
            raise MissingError(key, what) from None


def _prefixed(arrays: object, prefix: str) -> Arrays:
    assert isinstance(arrays, Mapping)
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _rates(about: object, prefix: str) -> dict[str, float]:
    assert isinstance(about, Mapping)
    found = about.get("rates", {})
    return {
        name.removeprefix(prefix): float(rate)
        for name, rate in found.items()
        if name.startswith(prefix)
    }
