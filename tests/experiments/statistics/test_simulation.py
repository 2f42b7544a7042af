"""Statistics over simulated experiments: as many errors as declared, as much power as computed."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments.statistics import significance
from voicegraph.experiments.statistics.correction import corrected
from voicegraph.experiments.statistics.paired import Pairs, compare_family
from voicegraph.experiments.statistics.power import power
from voicegraph.experiments.statistics.speakers import Unit, speaker_pairs

pytestmark = pytest.mark.slow
EXPERIMENTS, SPEAKERS, CONTRASTS = 1000, 24, 20


def _p(differences: np.ndarray, seed: int) -> np.ndarray:
    return significance.p_values(differences, "permutation", seed)


def test_family_wise_error_of_equal_systems_is_five_percent() -> None:
    random = np.random.default_rng(20)
    wrong = 0
    for experiment in range(EXPERIMENTS):
        speakers = random.standard_normal((SPEAKERS, CONTRASTS))
        one, other = (speakers + random.standard_normal(speakers.shape) for _ in range(2))
        found = corrected(list(_p(one - other, experiment)), "holm")
        wrong += any(p is not None and p <= 0.05 for p in found)
    assert wrong / EXPERIMENTS == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("speakers", [8, 12, SPEAKERS])
@pytest.mark.parametrize("effect", [0.6, 1.0])
def test_power_is_that_of_the_formula(speakers: int, effect: float) -> None:
    random = np.random.default_rng(speakers)
    differences = random.standard_normal((speakers, 6000)) + effect
    found = np.mean(_p(differences, 1) <= 0.05)
    # An exact test of 8 speakers has the level 12/256, not .05, and so a little less power.
    level = np.floor(0.05 * 2 ** (speakers - 1)) / 2 ** (speakers - 1)
    assert found == pytest.approx(power(effect, speakers, level), abs=0.03)


def test_verdicts_of_whole_families_keep_the_error() -> None:
    """Through everything that an experiment goes through, with fewer experiments."""
    random = np.random.default_rng(22)
    wrong, experiments = 0, 300
    for _ in range(experiments):
        both = random.standard_normal((5, 2, 12))
        family = [Pairs(one, other, "lower") for one, other in both]
        wrong += any(one.verdict in ("better", "worse") for one in compare_family(family))
    # 300 experiments: standard error .0126.
    assert wrong / experiments == pytest.approx(0.05, abs=0.03)


def test_clips_of_a_speaker_are_not_independent() -> None:
    """Systems that suit some speakers and not others: 5 clips of a speaker say the same."""
    random = np.random.default_rng(23)
    ours = np.zeros((SPEAKERS, EXPERIMENTS))
    naive = np.zeros((SPEAKERS * 5, EXPERIMENTS))
    for experiment in range(EXPERIMENTS):
        suits = random.standard_normal((SPEAKERS, 1))
        clips = suits + random.standard_normal((SPEAKERS, 5)) / 2
        values = {
            Unit(f"{s:02d}", str(c)): float(clips[s, c]) for s in range(SPEAKERS) for c in range(5)
        }
        _, level, baseline = speaker_pairs(values, dict.fromkeys(values, 0.0))
        ours[:, experiment], naive[:, experiment] = level - baseline, clips.ravel()
    assert np.mean(_p(ours, 1) <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(_p(naive, 1) <= 0.05) > 0.25
