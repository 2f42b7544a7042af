"""Every shipped condition passes the conformance suite of conditions."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.experiments import conditions, conformance
from voicegraph.experiments.conformance import _condition_checks
from voicegraph.experiments.conformance._other_process import elsewhere
from voicegraph.graph.files.sound import bundled_recording

LEVELS: list[dict[str, Any]] = [
    {"babble": {"files": str(bundled_recording.path())}, "snr": 10},
    {"clipping": 0.05},
    {"codec": "opus16"},
    {"codec": "mp364"},
    {"gain": -20},
    {"line": "telephone"},
    {"microphone": "laptop"},
    {"music": "band", "snr": 10},
    {"noise": "pink", "snr": 10},
    {"noise": "speech", "snr": 10},
    {"pitch": 270},
    {"room": {"t60": "400ms", "distance": "2m"}},
    {"truth": "world"},
    {"whisper": "world"},
]


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: next(iter(level)))
def test_shipped_conditions_conform(level: dict[str, Any]) -> None:
    conformance.check_condition(level, {"other_process": "all in one process, see below"})


def test_another_process_gives_the_same_sounds() -> None:
    found = elsewhere((_condition_checks.__name__, "digests_of_conditions"), LEVELS)
    assert found == _condition_checks.digests_of_conditions(LEVELS)


def test_all_conditions_are_checked() -> None:
    assert {next(iter(level)) for level in LEVELS} == conditions.BUILTIN.keys()
