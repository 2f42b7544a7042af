"""p of paired differences, against SciPy on one comparison at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from scipy import stats

from voicegraph.experiments.statistics.significance import least_p, p_values


def _tables(count: int, least: int, most: int) -> list[np.ndarray]:
    """Random differences ``[speakers, columns]`` of several distributions."""
    random = np.random.default_rng(1)
    made = []
    for i in range(count):
        shape = (int(random.integers(least, most + 1)), int(random.integers(1, 4)))
        draw = (random.standard_normal, random.standard_exponential, random.standard_cauchy)[i % 3]
        made.append(draw(shape) - random.uniform(0, 1))
    return made


def test_sign_flips_are_exact_up_to_sixteen_speakers() -> None:
    for table in _tables(200, 2, 10):
        found = p_values(table, "permutation")
        for column, p in zip(table.T, found, strict=True):
            signs = np.array(np.meshgrid(*[[1, -1]] * len(column))).reshape(len(column), -1)
            means = np.abs(signs.T @ column)
            exact = np.mean(means >= np.abs(column.sum()) * (1 - 1e-12))
            assert p == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("speakers", [6, 16, 17, 40])
def test_sign_flips_agree_with_scipy(speakers: int) -> None:
    column = np.random.default_rng(speakers).standard_normal(speakers) + 0.4
    theirs = stats.permutation_test(
        (column,), np.mean, permutation_type="samples", vectorized=True,
        n_resamples=2**16 if speakers <= 16 else 9999, batch=500, rng=np.random.default_rng(3),
    )  # fmt: skip
    assert p_values(column[:, None], "permutation", seed=3)[0] == theirs.pvalue


def test_a_comparison_has_one_p_whatever_it_is_computed_with() -> None:
    table = np.random.default_rng(2).standard_normal((20, 70)) + 0.3
    tests: tuple[Literal["permutation", "wilcoxon", "bootstrap"], ...]
    tests = ("permutation", "wilcoxon", "bootstrap")
    for test in tests:
        together = p_values(table, test, seed=5)
        alone = [p_values(table[:, i : i + 1], test, seed=5)[0] for i in (0, 33, 69)]
        assert together[[0, 33, 69]].tolist() == alone


def test_signed_ranks_agree_with_scipy() -> None:
    for table in _tables(200, 6, 30):
        theirs: list[Any] = [stats.wilcoxon(column) for column in table.T]
        assert p_values(table, "wilcoxon") == pytest.approx(
            [one.pvalue for one in theirs], abs=1e-12
        )


def test_tied_ranks_are_flipped_exactly() -> None:
    column = np.array([1, 1, 2, 2, 0, 3, -1, 2.0])
    method: Any = stats.PermutationMethod(n_resamples=2**16)
    theirs: Any = stats.wilcoxon(column, zero_method="pratt", method=method)
    assert p_values(column[:, None], "wilcoxon")[0] == theirs.pvalue


def test_bootstrapped_p_agrees_with_the_normal_distribution() -> None:
    random = np.random.default_rng(4)
    table = random.standard_normal((400, 5)) + np.array([0, 0.05, 0.1, -0.1, 0.15])
    normal = 2 * stats.norm.sf(np.abs(table.mean(0)) / (table.std(0) / np.sqrt(400)))
    # 10,000 draws: the standard error of a share is at most .005.
    assert p_values(table, "bootstrap") == pytest.approx(normal, abs=0.015)


def test_least_p_is_reached_by_the_clearest_difference() -> None:
    for speakers in (6, 10):
        column = np.arange(1.0, speakers + 1)[:, None]
        assert p_values(column, "permutation")[0] == least_p(speakers, "permutation")
        assert p_values(column, "wilcoxon")[0] == least_p(speakers, "wilcoxon")
    column = np.full((30, 1), 5.0) + np.random.default_rng(0).standard_normal((30, 1))
    assert p_values(column, "permutation")[0] == least_p(30, "permutation")
    assert p_values(column, "bootstrap")[0] == least_p(30, "bootstrap")
