"""Every shipped observer passes the conformance suite of observers."""

from __future__ import annotations

import pytest

from voicegraph.experiments import conformance, observers
from voicegraph.experiments.conformance import _observer_checks
from voicegraph.experiments.conformance._other_process import elsewhere

from ..needed_packages import skip_if_missing


@pytest.mark.parametrize("name", observers.BUILTIN)
def test_shipped_observers_conform(name: str) -> None:
    skip_if_missing([observers.missing(name)])
    conformance.check_observer(name, {"other_process": "all in one process, see below"})


def test_another_process_gives_the_same_bits() -> None:
    there = [name for name in observers.BUILTIN if observers.missing(name) is None]
    assert len(there) >= 5
    found = elsewhere((_observer_checks.__name__, "digests_of_speech"), there)
    assert found == _observer_checks.digests_of_speech(there)


def test_every_shipped_observer_is_registered_by_its_module() -> None:
    for name in observers.BUILTIN:
        assert observers.find(name).name == name
