"""Reblocking: axes, libraries and dtypes of samples, and no shared memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import SignalError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime._reblocking import flat_finite

Build = Callable[..., Pipeline]
BLOCK = np.arange(12, dtype=np.float32)


@pytest.fixture
def same(build: Build) -> Pipeline:
    """Returns its input."""
    return build({"a": node("dsp.gain", "input")})


@pytest.fixture
def stereo(build: Build) -> Pipeline:
    return build({"a": node("dsp.gain", "input")}, input={"rate": 1200, "channels": 2})


@pytest.mark.parametrize("shape", [(12,), (1, 12), (1, 1, 12)])
def test_output_has_axes_of_input(same: Pipeline, shape: tuple[int, ...]) -> None:
    blocks: list[Any] = [BLOCK.reshape(shape), torch.from_numpy(BLOCK.reshape(shape))]
    with same.session(warm_up=False) as session:
        for block in blocks:
            for use in (session.process, session.push):
                made = use(block)
                assert type(made) is type(block)
                assert made.shape == shape
                assert made.dtype == block.dtype
                np.testing.assert_array_equal(np.asarray(made), np.asarray(block))


def test_channels_are_the_middle_axis(stereo: Pipeline) -> None:
    both = np.stack([BLOCK, -BLOCK])
    with stereo.session(warm_up=False) as session:
        np.testing.assert_array_equal(session.process(both), both)
        np.testing.assert_array_equal(session.process(both[None]), both[None])


def test_vector_input_may_give_several_channels(build: Build) -> None:
    with build({"a": node("dsp.to_stereo", "input")}).session(warm_up=False) as session:
        assert session.process(BLOCK).shape == (2, 12)


@pytest.mark.parametrize(
    "block",
    [
        BLOCK.astype(np.float64),
        BLOCK.astype(np.float16),
        BLOCK.astype(">f4"),
        BLOCK.astype(np.longdouble),
        np.repeat(BLOCK, 2)[::2],
        BLOCK[::-1][::-1],
        np.broadcast_to(BLOCK, (1, 1, 12)),
        torch.from_numpy(BLOCK).double(),
        torch.from_numpy(BLOCK).requires_grad_(),
        torch.from_numpy(np.repeat(BLOCK, 2))[::2],
    ],
    ids=[
        "float64", "float16", "big-endian", "longdouble", "strided", "reversed", "read-only",
        "torch-double", "requires-grad", "torch-strided",
    ],
)  # fmt: skip
def test_any_floats_in_any_memory(same: Pipeline, block: Any) -> None:
    with same.session(warm_up=False) as session:
        for use in (session.process, session.push):
            made = np.asarray(use(block)).reshape(-1)
            np.testing.assert_array_equal(made, BLOCK)
            assert made.dtype == np.float32
        session.push(block[..., :5])
        session.push(block[..., :7])  # what waits is kept without a gradient's graph
        assert session.flush().shape[-1] == 0


def test_callers_memory_is_not_kept_or_changed(build: Build) -> None:
    block = BLOCK.copy()
    with build({"a": node("test.around", "input", back=12)}).session(warm_up=False) as session:
        session.process(block)
        np.testing.assert_array_equal(block, BLOCK)
        block[:] = 99
        np.testing.assert_array_equal(session.process(np.zeros(12, np.float32)), BLOCK)


def test_output_does_not_share_memory(same: Pipeline) -> None:
    block = BLOCK.copy()
    with same.session(warm_up=False) as session:
        made = session.process(block)
        made[:] = 7
        np.testing.assert_array_equal(block, BLOCK)
        tensor = torch.from_numpy(block)
        session.process(tensor).fill_(7)
        np.testing.assert_array_equal(block, BLOCK)


@pytest.mark.parametrize(
    ("block", "text", "fix"),
    [
        (BLOCK[:11], r"shape \[1, 1, 12\], \[12\]; found \[11\]", "session.push"),
        (BLOCK.reshape(2, 6), r"shape \[1, 1, 12\], \[12\]; found \[2, 6\]", "session.push"),
        (BLOCK.reshape(1, 1, 1, 12), r"found \[1, 1, 1, 12\]", "session.push"),
        (np.zeros((), np.float32), r"found \[\]", "session.push"),
        (BLOCK.astype(np.int16), "float samples from -1 to 1, found int16", "/ 32768"),
        (torch.from_numpy(BLOCK).to(torch.int16), "found torch.int16", "/ 32768"),
        (BLOCK.astype(np.complex64), "found complex64", "convert"),
        (BLOCK > 3, "found bool", "convert"),
        (np.array(["x"] * 12), "found <U1", "convert"),
        ([0.0] * 12, "a numpy array or torch tensor, found list", "numpy.asarray"),
        (None, "found NoneType", "numpy.asarray"),
    ],
)
def test_wrong_blocks_are_refused(same: Pipeline, block: Any, text: str, fix: str) -> None:
    with same.session(warm_up=False) as session:
        with pytest.raises(SignalError, match=text) as caught:
            session.process(block)
        assert fix in str(caught.value.problems[0].fix)
        assert session.position == 0


def test_push_takes_any_length(stereo: Pipeline) -> None:
    with stereo.session(2, warm_up=False) as session:
        for wrong in (BLOCK, BLOCK.reshape(2, 6), np.zeros((2, 2, 3, 1), np.float32)):
            with pytest.raises(SignalError, match="2 streams, 2 channels"):
                session.push(wrong)
        assert session.push(np.zeros((2, 2, 0), np.float32)).shape == (2, 2, 0)


def test_shapes_that_would_do_are_named_for_stereo(stereo: Pipeline) -> None:
    with (
        stereo.session(warm_up=False) as session,
        pytest.raises(SignalError, match=r"shape \[1, 2, 12\], \[2, 12\]; found \[12\]"),
    ):
        session.process(BLOCK)


def test_a_block_of_output_does_not_change_with_the_next(same: Pipeline) -> None:
    """Blocks pass through buffers of the session: what a caller has is a copy."""
    with same.session(warm_up=False) as session:
        first = session.process(np.ones(12, np.float32))
        kept = first.copy()
        given = np.full(12, 2, np.float32)
        session.process(given)
        np.testing.assert_array_equal(first, kept)
        np.testing.assert_array_equal(given, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [12, 9000])
def test_one_value_that_is_not_finite_is_found(value: float, size: int) -> None:
    values = np.ones(size, np.float32)
    assert flat_finite(values)
    values[size // 2] = value
    assert not flat_finite(values)
