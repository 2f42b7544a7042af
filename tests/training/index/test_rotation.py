"""The rotation before a product quantizer: axes of equal products of variances."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.tests.tolerance import assert_close, rounding
from voicegraph.training.index.rotation import allocate, rotation_for

pytestmark = pytest.mark.numeric


def correlated(count: int = 3000, dimension: int = 16) -> np.ndarray:
    """Normally distributed vectors whose variances fall by half from axis to axis, turned."""
    random = np.random.default_rng(1)
    turn, _ = np.linalg.qr(random.standard_normal((dimension, dimension)))
    scales = 2.0 ** (-np.arange(dimension) / 2)
    return (random.standard_normal((count, dimension)) * scales @ turn).astype(np.float32)


def matrix(rotation: faiss.LinearTransform) -> np.ndarray:
    return faiss.vector_to_array(rotation.A).reshape(rotation.d_out, rotation.d_in)


def error(vectors: np.ndarray, rotation: Any = None) -> float:
    """Of a product quantizer of four parts."""
    turned = vectors if rotation is None else rotation.apply(vectors)
    quantizer: Any = faiss.ProductQuantizer(turned.shape[1], 4, 8)
    quantizer.cp.min_points_per_centroid = 1
    quantizer.train(turned)
    stored = quantizer.decode(quantizer.compute_codes(turned))
    return float(np.square(stored - turned).mean())


def test_products_of_variances_are_equal() -> None:
    variances = np.array([1.0, 2, 4, 8, 16, 32, 64, 128])
    parts = variances[allocate(variances, 4)].reshape(4, 2)
    np.testing.assert_array_equal(parts.prod(1), 128)


@given(st.lists(st.floats(0, 1e30), min_size=12, max_size=12), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_every_axis_is_used_once(variances: list[float], parts: int) -> None:
    assert sorted(allocate(np.array(variances), parts)) == list(range(12))


@pytest.mark.parametrize("vectors", [correlated(), np.ones((300, 16), np.float32)], ids=["", "one"])
def test_lengths_stay(vectors: np.ndarray) -> None:
    turn = matrix(rotation_for(vectors, 4))
    assert_close(turn @ turn.T, np.eye(16), rounding(16))


def test_normal_vectors_are_stored_more_exactly_than_by_faiss() -> None:
    vectors = correlated()
    iterative: Any = faiss.OPQMatrix(16, 4)
    iterative.niter = 10
    iterative.train(vectors)
    found = error(vectors, rotation_for(vectors, 4))
    assert found < error(vectors, iterative)
    assert found < 0.7 * error(vectors)
