"""Thread layouts: branches, order and waits; a session keeps, describes and takes up a layout."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import voicegraph
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.engine import Engine
from voicegraph.graph.runtime.snapshot import Snapshot
from voicegraph.graph.runtime.thread_layout import (
    WorkerPool,
    apply_layout,
    branch_from,
    copy_worker_lanes,
    fits,
)
from voicegraph.schemas.engine_setup import EngineSetup, ThreadLayout, WorkerThread

Build = Callable[..., Pipeline]
NOISE = np.random.default_rng(5).integers(-9, 10, 240).astype(np.float32)
BLOCK = 12


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def _fork() -> dict[str, Any]:
    """The order of the plan is not that in which a worker helps: `slow` comes after `heavy`."""
    return {
        "pre": node("test.shift", "input"),
        "heavy": node("test.slow", "pre"),
        "slow": node("test.slow", "pre"),
        "after": node("test.around", "slow", back=20),
        "both": node("test.sum", {"one": "heavy", "other": "after"}),
        "end": node("test.shift", "both"),
    }


def _layout(*branches: list[str], main: int = 2, threads: int = 1) -> ThreadLayout:
    workers = [WorkerThread(nodes=names, threads=threads) for names in branches]
    return ThreadLayout(main=main, workers=workers)


def _engine(plan: Plan) -> Engine:
    return Engine(plan, 1, {planned.name: torch.device("cpu") for planned in plan.nodes})


def _run(engine: Engine) -> np.ndarray:
    made = []
    with torch.inference_mode():
        for at in range(0, len(NOISE), BLOCK):
            block = torch.from_numpy(NOISE[at : at + BLOCK]).view(1, 1, -1)
            made.append(engine.tick(block).clone())
    return torch.cat(made, 2)[0, 0].numpy()


def test_a_branch_holds_what_needs_nothing_else(build: Build) -> None:
    engine = _engine(build(_fork()).compile())
    assert branch_from(engine, "slow") == ["slow", "after"]
    assert branch_from(engine, "heavy") == ["heavy"]
    assert branch_from(engine, "pre") == ["pre", "heavy", "slow", "after", "both", "end"]


def test_a_branch_begins_before_what_runs_beside_it(build: Build) -> None:
    engine = _engine(build(_fork()).compile())
    apply_layout(engine, _layout(["slow", "after"]))
    assert [step.name for step in engine.schedule] == ["pre", "slow", "heavy", "both", "end"]
    assert engine.by_name["both"].waits == (engine.by_name["slow"],)
    assert engine.pool is not None
    engine.pool.shutdown()


def test_branches_are_refused_where_they_do_not_fit(build: Build) -> None:
    engine = _engine(build(_fork()).compile())
    assert fits(engine, _layout(["slow", "after"], ["heavy"]))
    assert not fits(engine, _layout(["slow"], ["slow"]))
    assert not fits(engine, _layout(["slow", "both"]))  # `both` needs `heavy`, too
    assert not fits(engine, _layout(["missing"]))


@given(st.data())
def test_every_layout_gives_the_same_output(data: st.DataObject) -> None:
    """Random graphs, with look-back and a feedback edge; random branches on workers."""
    count = data.draw(st.integers(2, 6))
    names = [f"n{i}" for i in range(count)]
    nodes: dict[str, Any] = {"n0": node("test.slow", "input", wait=0.0)}
    for i, name in enumerate(names[1:], 1):
        one, other = (data.draw(st.sampled_from(["input", *names[:i]])) for _ in range(2))
        nodes[name] = data.draw(
            st.sampled_from(
                [
                    node("test.slow", one, wait=0.0),
                    node("test.around", one, back=data.draw(st.integers(0, 30))),
                    node("test.sum", {"one": one, "other": other}),
                ]
            )
        )
    if data.draw(st.booleans()):
        nodes["echo"] = node("test.slowecho", {"audio": "input", "back": "late"}, by=BLOCK)
        nodes["late"] = node("test.shift", "n0", by=BLOCK)
        nodes["last"] = node("test.sum", {"one": names[-1], "other": "echo"})
    last = list(nodes)[-1]
    plan = Pipeline(
        block="1ms", input={"rate": 12000, "channels": 1}, nodes=nodes, output=last
    ).compile()
    engine, expected = _engine(plan), _run(_engine(plan))
    heads = data.draw(st.lists(st.sampled_from([s.name for s in engine.steps]), max_size=3))
    branches: list[list[str]] = []
    for head in heads:
        taken = {name for branch in branches for name in branch}
        branch = [name for name in branch_from(engine, head) if name not in taken]
        if head not in taken and fits(engine, _layout(*branches, branch)):
            branches.append(branch)
    apply_layout(engine, _layout(*branches))
    np.testing.assert_array_equal(_run(engine), expected)
    if engine.pool is not None:
        engine.pool.shutdown()


def test_each_worker_has_its_own_thread_count(build: Build) -> None:
    pool = WorkerPool([1, 3])
    found: list[int] = []

    step = _engine(build(_fork()).compile()).by_name["slow"]
    for step.lane in (1, 2):
        pool.submit(lambda _: found.append(torch.get_num_threads()), step).result()
    pool.shutdown()
    assert found == [1, 3]
    assert torch.get_num_threads() == 2
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [2]


def test_a_session_takes_up_a_setup_and_describes_it(build: Build) -> None:
    setup = EngineSetup(threads=_layout(["slow", "after"], main=1))
    plan = build(_fork()).compile()
    with plan.session(setup=setup) as session, plan.session(workers=False) as plain:
        assert session.setup.threads == setup.threads
        assert torch.get_num_threads() == 1
        assert "slow, after on a worker with 1 thread; the rest with 1 thread" in session.explain()
        assert session.explain().startswith(plan.explain())
        np.testing.assert_array_equal(session.push(NOISE), plain.push(NOISE))
    assert torch.get_num_threads() == 2


def test_a_setup_of_another_pipeline_runs_in_a_row(build: Build) -> None:
    setup = EngineSetup(threads=_layout(["other"], main=1))
    with build(_fork()).session(setup=setup) as session:
        assert session.setup.threads == ThreadLayout(main=1)
        assert any("do not fit this pipeline" in note for note in session.notes)


def test_the_count_holds_on_the_thread_that_processes(build: Build) -> None:
    """PyTorch's thread count belongs to a thread; sessions may be opened on another one."""
    setup = EngineSetup(threads=_layout(["slow", "after"], main=1))
    found: list[int] = []
    torch.set_num_threads(2)
    with build(_fork()).session(setup=setup, warm_up=False) as session:

        def process() -> None:
            torch.set_num_threads(2)
            session.process(NOISE[:BLOCK])
            found.append(torch.get_num_threads())

        thread = threading.Thread(target=process)
        thread.start()
        thread.join()
    assert found == [1]


def test_recording_and_snapshot_hold_the_setup(build: Build, tmp_path: Path) -> None:
    setup = EngineSetup(threads=_layout(["slow", "after"], main=1))
    plan = build(_fork()).compile()
    with plan.session(setup=setup, record=tmp_path / "a.jsonl") as session:
        session.push(NOISE)
        session.snapshot().save(tmp_path / "a.safetensors")
    found = Snapshot.load(tmp_path / "a.safetensors").setup
    assert found is not None
    assert found.threads == setup.threads
    replayed = voicegraph.replay(plan, tmp_path / "a.jsonl")
    counts = [torch.get_num_threads() for _ in replayed]
    assert counts == [1] * (len(NOISE) // BLOCK)


def test_a_swap_keeps_branches_that_stay(build: Build) -> None:
    other = _fork() | {"end": node("test.scale", "both")}
    old, new = (_engine(build(nodes).compile()) for nodes in (_fork(), other))
    old.threads = 2
    apply_layout(old, _layout(["slow", "after"], main=1))
    copy_worker_lanes(new, old)
    assert new.layout == old.layout
    changed = _engine(build(_fork() | {"slow": node("test.shift", "pre")}).compile())
    copy_worker_lanes(changed, old)
    assert changed.layout == ThreadLayout(main=2)  # the rest must not stay on one thread
    for engine in (old, new):
        assert engine.pool is not None
        engine.pool.shutdown()
