"""Holm and Benjamini-Hochberg, against statsmodels."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from voicegraph.experiments.statistics.correction import corrected


def test_families_are_corrected_as_statsmodels_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)  # statsmodels collects in every call
    random = np.random.default_rng(1)
    for _ in range(200):
        p = random.random(int(random.integers(1, 30))) ** 3
        holm, bh = (np.asarray(multipletests(p, method=m)[1]) for m in ("holm", "fdr_bh"))
        assert corrected(list(p), "holm") == pytest.approx(list(holm), rel=1e-12)
        assert corrected(list(p), "bh") == pytest.approx(list(bh), rel=1e-12)
        assert corrected(list(p), "none") == list(p)


def test_what_was_not_tested_does_not_count() -> None:
    assert corrected([None, 0.01, None, 0.04], "holm") == [None, 0.02, None, 0.04]
    assert corrected([None], "bh") == [None]
    assert corrected([], "holm") == []
