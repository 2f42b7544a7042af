"""The checks: functions of a case that raise AssertionError with the reason."""

from __future__ import annotations

import gc
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..errors import NodeFailedError
from ..pipeline import Plan
from ..runtime.session import Session
from ..runtime.snapshot import Snapshot
from ._exports import exports
from ._harness import NODE, Case, plan, run, signal, try_plan
from ._instrumentation import CheckedNode, fingerprint
from ._latency import latency

_TOLERANCE = 2e-5
_SECONDS = 1.2
_BYTES, _OBJECTS, _TENSORS = 100, 0.9, 2
"""At most: bytes and objects a tick, and tensors. numpy and scipy fill caches of their own, some 50
bytes a tick at first."""
_RUNS = 12
_BLOCKS = ("10ms", "40ms", "100ms", "7ms", "33ms")


def _open(made: Plan, streams: int = 1) -> Session:
    return made.session(streams, warm_up=False)


def _audio(made: Plan, streams: int = 1, seconds: float = _SECONDS) -> np.ndarray:
    return np.stack([signal(made, seconds, stream) for stream in range(streams)])


def _watch(case: Case, streams: int) -> None:
    made = plan(case)
    with _open(made, streams) as session:
        step = session.engine.by_name[NODE]
        step.node = CheckedNode(step.node, streams)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            run(session, _audio(made, streams, 0.4))
        except NodeFailedError as error:
            if not isinstance(error.__cause__, AssertionError):
                raise
            raise AssertionError(f"{case}: {error.__cause__}") from None


def shapes(case: Case) -> None:
    """Every output has the type, shape and dtype that the plan declares, and is finite."""
    _watch(case, 2)


def chunking(case: Case) -> None:
    """A node declared ``exact`` gives the same in blocks of any size."""
    if case.cls.chunking != "exact":
        return
    reference = plan(case)
    audio = _audio(reference)
    with _open(reference) as session:
        expected = _aligned(reference, run(session, audio))
    for block in _BLOCKS:
        made = try_plan(case, block)
        if made is None:
            continue
        with _open(made) as session:
            found = _aligned(made, run(session, audio))
        axis = made.output_type.time_axis
        count = min(found.shape[axis], expected.shape[axis])
        difference = np.abs(
            np.take(found, range(count), axis) - np.take(expected, range(count), axis)
        ).max(initial=0)
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        assert difference <= _TOLERANCE * scale, (
            f"{case} is declared exact, but in blocks of {block} differs by {difference:.2e} "
            f"from blocks of {reference.block} s"
        )


def _aligned(made: Plan, output: np.ndarray) -> np.ndarray:
    axis = made.output_type.time_axis
    return np.take(output, range(made.latency_out, output.shape[axis]), axis)


def snapshot(case: Case) -> None:
    """A session restored from a snapshot file continues with identical output."""
    made = plan(case)
    audio = _audio(made, 2)
    half = audio.shape[2] // 2 // made.samples_in * made.samples_in
    with tempfile.TemporaryDirectory() as folder, _open(made, 2) as session:
        run(session, audio[:, :, :half])
        path = Path(folder) / "state.safetensors"
        session.snapshot().save(path)
        expected = run(session, audio[:, :, half:])
        with _open(made, 2) as other:
            run(other, audio[:, :, half // 2 :])
            other.restore(Snapshot.load(path))
            found = run(other, audio[:, :, half:])
    assert np.array_equal(expected, found), f"{case} continues differently after a snapshot"


def reset(case: Case) -> None:
    """A reset session gives the output of a new one; resetting one stream affects no other."""
    made = plan(case)
    audio = _audio(made, 2, 0.6)
    with _open(made, 2) as session:
        expected = run(session, audio)
        session.reset()
        assert np.array_equal(expected, run(session, audio)), f"{case}: reset is not a fresh start"
        session.reset()
        run(session, audio)
        session.reset(stream=1)
        again = run(session, audio)
        assert np.array_equal(expected[1], again[1]), (
            f"{case}: reset(stream=1) is not a fresh start"
        )


def streams(case: Case) -> None:
    """The content of one stream does not change the output of another."""
    made = plan(case)
    audio = _audio(made, 2, 0.6)
    other = audio.copy()
    other[1] = -0.7 * other[1][:, ::-1]
    with _open(made, 2) as session:
        expected = run(session, audio)
        session.reset()
        found = run(session, other)
    assert np.array_equal(expected[0], found[0]), f"{case}: stream 1 leaks into stream 0"
    with _open(made, 1) as session:
        alone = run(session, audio[:1])
    scale = max(1.0, float(np.abs(alone).max(initial=0)))
    difference = np.abs(alone[0] - expected[0]).max(initial=0)
    assert difference <= _TOLERANCE * scale, f"{case}: alone, stream 0 differs by {difference:.2e}"


def repeat(case: Case) -> None:
    """The same input gives bit-identical output."""
    made = plan(case)
    audio = _audio(made, 1, 0.6)
    found = []
    for _ in range(2):
        with _open(made) as session:
            found.append(run(session, audio))
    assert np.array_equal(*found), f"{case} gives different output for the same input"


def inputs(case: Case) -> None:
    """Inputs are not modified."""
    _watch(case, 1)


def instance(case: Case) -> None:
    """After loading, the node's instance never changes."""
    made = plan(case)
    with _open(made) as session:
        node = session.engine.by_name[NODE].node
        before = fingerprint(vars(node))
        run(session, _audio(made, 1, 0.4))
        after = fingerprint(vars(node))
    changed = [name for name in after if before.get(name) != after[name]]
    assert not changed, f"{case} changed its own attributes: {', '.join(changed)}"


def state(case: Case) -> None:
    """State is a dataclass of tensors, axis 0 = streams, shapes and dtypes fixed."""
    made = plan(case)
    with _open(made, 3) as session:
        held = session.engine.by_name[NODE].state
        if held is None:
            return
        assert not case.cls.pure, f"{case} is declared pure, but has a state"
        kept = dict(held.tensors())  # held, so that no new tensor gets the address of an old one
        before = {name: (t.shape, t.dtype, t.data_ptr()) for name, t in kept.items()}
        for name, (shape, dtype, _) in before.items():
            assert shape[0] == 3, f"{case}: state {name} has no streams axis in front"
            assert dtype in (torch.float32, torch.float64, torch.int64, torch.bool), (
                f"{case}: state {name} is {dtype}; counters are int64"
            )
        run(session, _audio(made, 3, 0.4))
        after = {name: (t.shape, t.dtype, t.data_ptr()) for name, t in held.tensors().items()}
    assert before == after, f"{case}: state was replaced; change it in place"


def growth(case: Case, ticks: int = 100) -> None:
    """Memory does not grow with every tick.

    The steadiest of some runs of ``ticks`` blocks decides: libraries fill caches of their own at
    first, scipy about 50 kB, and what grows with every tick grows in all of them.
    """
    made = try_plan(case, "10ms") or plan(case)  # the shorter, the sooner many have passed
    audio = _audio(made, 1, 0.4)
    size = made.samples_in
    blocks = [audio[:, :, s : s + size] for s in range(0, audio.shape[2] - size + 1, size)]
    with _open(made) as session:

        def pass_blocks() -> None:
            for i in range(ticks):
                session.process(blocks[i % len(blocks)])

        pass_blocks()
        gc.freeze()  # what is here before is not looked through again, however much it is
        try:
            grown, objects, kept = _least_growth(pass_blocks, ticks)
        finally:
            tracemalloc.stop()
            gc.unfreeze()
    assert grown < _BYTES * ticks, f"{case} grew by {grown} bytes over {ticks} ticks"
    assert objects < _OBJECTS * ticks, f"{case} grew by {objects} objects over {ticks} ticks"
    assert kept <= _TENSORS, f"{case} keeps {kept} more tensors after {ticks} ticks"


def _least_growth(pass_blocks: Callable[[], None], ticks: int) -> tuple[int, int, int]:
    """Bytes, objects and tensors by which the steadiest runs grew; no more runs than needed."""
    found = [_memory()]
    least = (sys.maxsize, sys.maxsize, sys.maxsize)
    for _ in range(_RUNS):
        pass_blocks()
        found.append(_memory())
        grown, objects, kept = (min(least[k], found[-1][k] - found[-2][k]) for k in range(3))
        least = grown, objects, kept
        if grown < _BYTES * ticks and objects < _OBJECTS * ticks and kept <= _TENSORS:
            break
    return least


def _memory() -> tuple[int, int, int]:
    """Bytes and tensors since the first call, and Python's own small blocks of memory in all.

    An object has at least one such block.
    """
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    gc.collect()
    count = sum(issubclass(type(found), torch.Tensor) for found in gc.get_objects())
    return tracemalloc.get_traced_memory()[0], sys.getallocatedblocks(), count


def cuda(case: Case) -> None:
    """CPU and CUDA agree for nodes that run on both; skipped without a CUDA device."""
    if "cuda" not in case.cls.devices or not torch.cuda.is_available():
        return
    made = plan(case)
    audio = _audio(made, 2, 0.6)
    with _open(made, 2) as session:
        expected = run(session, audio)
    moved = plan(case, device="cuda")
    with _open(moved, 2) as session:
        found = run(session, audio)
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    difference = np.abs(expected - found).max(initial=0)
    assert difference <= 1e-3 * scale, f"{case}: CPU and CUDA differ by {difference:.2e}"


CHECKS: dict[str, Callable[[Case], None]] = {
    check.__name__: check
    for check in (
        shapes,
        chunking,
        snapshot,
        reset,
        streams,
        repeat,
        inputs,
        instance,
        state,
        latency,
        growth,
        cuda,
        exports,
    )
}
"""Every check by name."""
