"""The Ray engine on a cluster that is ours: what travels, what is lost, what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments.engines._ray_address import require_address
from voicegraph.experiments.engines.engine import (
    NODE_LOST,
    OUT_OF_MEMORY,
    PROCESS_ENDED,
    RETURNED,
    Event,
    Finished,
    Limits,
    Lost,
    Note,
)
from voicegraph.experiments.engines.ray import Ray
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Kind, Result, Results, Task
from voicegraph.graph.errors import DeviceError, PipelineError

from .fake_cluster import SHARED, FakeCluster


@dataclass(frozen=True)
class Sum:
    """A work that reads files and results."""

    paths: Mapping[Path, str] = field(default_factory=dict)
    needs: Sequence[str] = ()
    plus: float = 0.0

    def run(self, needs: Results) -> Result:
        found = [np.frombuffer(path.read_bytes(), np.uint8).sum() for path in self.paths]
        found += [needs.read(key).arrays["sum"].sum() for key in self.needs]
        return Result({"sum": np.array([sum(found) + self.plus], np.float64)})

    def files(self) -> Mapping[Path, str]:
        return self.paths

    def with_files(self, moved: Mapping[Path, Path]) -> Sum:
        return replace(self, paths={moved.get(path, path): sha for path, sha in self.paths.items()})


def task(name: str, work: Sum | None = None, **changes: object) -> Task:
    work = work or Sum(plus=1.0)
    key = sha256(name.encode()).hexdigest()
    made = Task(key, Kind.OBSERVE, work, tuple(work.needs), label=name)
    return replace(made, **changes)


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    return FakeCluster(tmp_path / "disks")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def engine(cluster: FakeCluster) -> Iterator[Ray]:
    made = Ray("auto", join=lambda: cluster, clock=cluster.clock)
    yield made
    made.close()


def events_of(engine: Ray, seconds: float = 60.0) -> list[Event]:
    """Everything until the first event that is no note."""
    found: list[Event] = []
    for _ in range(int(seconds)):
        found += engine.poll(1.0)
        if any(not isinstance(event, Note) for event in found):
            break
    return found


def passes(engine: Ray, seconds: float) -> None:
    """Time passes."""
    for _ in range(int(seconds)):
        engine.poll(1.0)


def ends(events: Sequence[Event]) -> list[Finished | Lost]:
    return [event for event in events if not isinstance(event, Note)]


def codes(events: Sequence[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Note)]


def settled(engine: Ray, slots: int) -> None:
    """Waits until so many workers are ready."""
    for _ in range(50):
        if engine.slots() == slots:
            return
        engine.poll(0.0)
    raise AssertionError(f"{engine.slots()} workers, expected {slots}")


class TestTravel:
    def test_files_and_results_reach_a_worker_by_content(
        self, engine: Ray, cluster: FakeCluster, store: Store, tmp_path: Path
    ) -> None:
        cluster.join("b")
        clip = tmp_path / "clip.bin"
        clip.write_bytes(b"\1\2\3")
        first, work = task("first"), Sum({clip: sha256(b"\1\2\3").hexdigest()}, ())
        store.write(first.key, Result({"sum": np.array([10.0])}))
        engine.start(store, Limits())
        engine.submit(1, [task("a", replace(work, needs=(first.key,)))])
        (end,) = ends(events_of(engine))
        assert isinstance(end, Finished)
        assert end.outcome.failure is None
        assert end.outcome.host == "b"
        assert store.read(end.outcome.key).arrays["sum"] == 16.0
        (kept,) = (tmp_path / "disks" / "b" / "cache").glob("*/clip.bin")
        assert kept.read_bytes() == b"\1\2\3"

    def test_a_result_that_a_task_did_not_name_travels_when_it_is_read(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        keys = (task("first").key, task("second").key)
        for key in keys:
            store.write(key, Result({"sum": np.array([10.0])}))
        engine.start(store, Limits())
        engine.submit(1, [replace(task("a", Sum(needs=keys)), needs=())])
        events_of(engine)
        assert store.read(task("a").key).arrays["sum"] == 20.0

    def test_what_travelled_once_is_not_asked_for_again(
        self, engine: Ray, cluster: FakeCluster, store: Store, tmp_path: Path
    ) -> None:
        cluster.join("b")
        clip = tmp_path / "clip.bin"
        clip.write_bytes(b"\1")
        work = Sum({clip: sha256(b"\1").hexdigest()})
        engine.start(store, Limits())
        engine.submit(1, [task("a", work), task("b", replace(work, plus=1.0))])
        events_of(engine)
        events_of(engine)
        assert cluster.log.count(("b", "run")) == 3  # the first of them was answered by Missing

    def test_a_worker_that_sees_the_store_writes_it_itself(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join(SHARED)
        engine.start(store, Limits())
        (worker,) = cluster.workers(SHARED)
        assert worker.worker.shares_store
        engine.submit(1, [task("a")])
        events_of(engine)
        assert store.read(task("a").key).arrays["sum"] == 1.0

    def test_a_file_that_changed_fails_its_task_alone(
        self, engine: Ray, cluster: FakeCluster, store: Store, tmp_path: Path
    ) -> None:
        cluster.join("b")
        clip = tmp_path / "clip.bin"
        clip.write_bytes(b"another")
        engine.start(store, Limits())
        engine.submit(1, [task("a", Sum({clip: sha256(b"one").hexdigest()})), task("b")])
        found = [*ends(events_of(engine)), *ends(events_of(engine))]
        failures = [end.outcome.failure for end in found if isinstance(end, Finished)]
        assert [failure and failure.code for failure in failures] == ["file-changed", None]

    def test_an_exception_of_a_task_is_its_failure(
        self, engine: Ray, cluster: FakeCluster, store: Store, tmp_path: Path
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        engine.submit(1, [task("a", Sum(needs=("0" * 64,)))])
        (end,) = ends(events_of(engine))
        assert isinstance(end, Finished)
        assert end.outcome.failure is not None


class TestLost:
    def test_a_dead_machine_gives_its_batch_back_unblamed(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x"), task("y")])
        engine.poll(1.0)
        (busy,) = {node for node, method in cluster.log if method == "run"}
        cluster.kill(busy)
        (end,) = ends(events_of(engine))
        assert isinstance(end, Lost)
        assert (end.why.code, end.running, end.host) == (NODE_LOST, task("x").key, busy)
        assert engine.slots() == 1

    def test_a_machine_that_cannot_be_reached_is_lost_though_ray_has_not_noticed(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x")])
        cluster.cut.add("b")
        began = cluster.now
        (end,) = ends(events_of(engine))
        assert isinstance(end, Lost)
        assert end.why.code == NODE_LOST
        assert cluster.now - began < 30.0

    def test_a_machine_that_stays_away_is_told_once(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b")
        engine.start(store, Limits())
        settled(engine, slots=2)
        cluster.cut.add("b")
        told = [code for _ in range(400) for code in codes(engine.poll(1.0))]
        assert told.count("node-lost") == 1

    def test_a_machine_that_answers_again_computes_again(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x")])
        cluster.cut.add("b")
        events_of(engine)
        cluster.cut.clear()
        cluster.hold.clear()
        engine.submit(2, [task("x")])
        (end,) = ends(events_of(engine))
        assert isinstance(end, Finished)
        assert end.ticket == 2

    def test_a_process_that_ends_is_blamed_once_its_machine_has_answered(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.update(["run", "ping"])
        engine.submit(1, [task("x"), task("y")])
        cluster.workers("b")[0].alive = False
        assert ends(engine.poll(3.0)) == []
        cluster.hold.clear()
        (end,) = ends(events_of(engine))
        assert isinstance(end, Lost)
        assert (end.why.code, end.running) == (PROCESS_ENDED, task("x").key)
        settled(engine, slots=1)

    def test_a_process_that_took_too_much_memory_says_so(
        self,
        engine: Ray,
        cluster: FakeCluster,
        store: Store,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x")])
        (worker,) = cluster.workers("b")
        (tmp_path / f"voicegraph-worker-{worker.pid}.ended").write_text(OUT_OF_MEMORY)
        worker.alive = False
        (end,) = ends(events_of(engine))
        assert isinstance(end, Lost)
        assert end.why.code == OUT_OF_MEMORY

    def test_a_batch_waits_for_a_worker_that_is_being_replaced(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x")])
        assert engine.cancel(1)
        engine.submit(2, [task("y")])
        cluster.hold.clear()
        (end,) = ends(events_of(engine))
        assert isinstance(end, Finished)
        assert (end.ticket, end.outcome.key) == (2, task("y").key)

    def test_a_late_task_of_a_machine_that_is_silent_is_not_to_blame(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.hold.add("run")
        engine.submit(1, [task("x")])
        cluster.cut.add("b")
        passes(engine, 10.0)
        assert not engine.cancel(1)

    def test_without_a_worker_for_two_minutes_the_run_ends(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        cluster.kill("b")
        with pytest.raises(DeviceError, match="no worker of the cluster") as caught:
            passes(engine, 200.0)
        assert "ray start" in (caught.value.problems[0].fix or "")


class TestBatches:
    def test_a_batch_goes_to_the_worker_that_has_its_group_loaded(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b")
        engine.start(store, Limits())
        settled(engine, slots=2)
        hosts: dict[int, str] = {}
        for ticket, group in enumerate(["p", "q", "p", "q", "q"]):
            engine.submit(ticket, [task(f"x{ticket}", group=group)])
            (end,) = ends(events_of(engine))
            assert isinstance(end, Finished)
            hosts[ticket] = end.outcome.host
        assert hosts[0] == hosts[2] != hosts[1] == hosts[3] == hosts[4]

    def test_tasks_that_must_be_alone_get_a_machine_each(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b", cpus=2.0)
        engine.start(store, Limits())
        settled(engine, slots=4)
        assert engine.slots(alone=True) == 2
        cluster.hold.add("run")
        for ticket in range(3):
            engine.submit(ticket, [task(f"x{ticket}", alone=True)])
        begun = [node for node, method in cluster.log if method == "run"]
        assert sorted(begun) == ["a", "b"]

    def test_measuring_beside_others_is_told(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", cpus=2.0)
        engine.start(store, Limits())
        settled(engine, slots=2)
        cluster.hold.add("start")  # somebody else got the CPU of a worker that ended
        engine.submit(1, [task("x")])
        engine.cancel(1)
        engine.submit(2, [task("y", alone=True)])
        assert "disturbed" in codes(events_of(engine))

    def test_a_batch_that_is_to_finish_ends_after_its_running_task(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b")
        engine.start(store, Limits())
        engine.submit(1, [task("x"), task("y")])
        engine.finish(1)
        first, second = ends(events_of(engine))
        assert isinstance(first, Finished)
        assert isinstance(second, Lost)
        assert second.why.code == RETURNED
        assert not store.has(task("y").key)


class TestChecked:
    @pytest.mark.parametrize(
        ("differs", "found", "fix"),
        [
            ({"code": "0" * 64}, "code 00000000", "voicegraph=="),
            ({"python": "3.99.1"}, "Python 3.99.1 there", "Python 3"),
            ({"packages": {}}, "numpy missing there", f'"numpy=={np.__version__}"'),
            ({"error": "ModuleNotFoundError: No module named 'voicegraph'"}, "No module", "pip"),
        ],
        ids=["code", "python", "packages", "nothing"],
    )
    def test_another_version_is_refused_by_name(
        self,
        engine: Ray,
        cluster: FakeCluster,
        store: Store,
        differs: dict[str, object],
        found: str,
        fix: str,
    ) -> None:
        cluster.join("b").differs["b"] = differs
        with pytest.raises(PipelineError) as caught:
            engine.start(store, Limits())
        (problem,) = caught.value.problems
        assert found in problem.message
        assert "worker on b" in problem.message
        assert fix in (problem.fix or "")
        assert cluster.closed
        assert not cluster.of("b")

    def test_a_package_of_an_observer_counts(self, cluster: FakeCluster, store: Store) -> None:
        cluster.join("b").differs["b"] = {"packages": {}}
        engine = Ray("auto", packages=["pytest"], join=lambda: cluster, clock=cluster.clock)
        with pytest.raises(PipelineError, match="pytest missing there"):
            engine.start(store, Limits())

    def test_a_refused_machine_is_named_and_the_others_compute(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b").differs["b"] = {"code": "0" * 64}
        engine.start(store, Limits())
        engine.submit(1, [task("x")])
        events = events_of(engine)
        assert [event.host for event in events if isinstance(event, Note) and event.fix] == ["b"]
        (end,) = ends(events)
        assert isinstance(end, Finished)
        assert end.outcome.host == "a"

    def test_another_processor_is_told_and_used(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("b").differs["b"] = {"cpu": "Another 9000"}
        engine.start(store, Limits())
        assert "other-processor" in codes(engine.poll(0.0))
        assert engine.slots() == 1

    def test_a_cluster_without_cpus_is_no_cluster(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("head", cpus=0.0)
        with pytest.raises(DeviceError, match="no node of it has a CPU"):
            engine.start(store, Limits())

    def test_a_machine_that_joins_later_computes(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a")
        engine.start(store, Limits())
        cluster.join("b")
        settled(engine, slots=2)

    def test_no_more_workers_than_wanted(self, cluster: FakeCluster, store: Store) -> None:
        cluster.join("a", "b", cpus=4.0)
        engine = Ray("auto", 3, join=lambda: cluster, clock=cluster.clock)
        engine.start(store, Limits())
        settled(engine, slots=3)
        engine.close()

    def test_closing_leaves_no_process(
        self, engine: Ray, cluster: FakeCluster, store: Store
    ) -> None:
        cluster.join("a", "b", cpus=2.0)
        engine.start(store, Limits())
        engine.close()
        assert not [host for host in cluster.hosts if host.alive]
        assert cluster.closed


class TestAddress:
    def test_without_ray_the_command_that_installs_it(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        monkeypatch.setattr("voicegraph.experiments.engines._ray_address.is_installed", _no)
        with pytest.raises(PipelineError, match="needs ray") as caught:
            Ray("local").start(store, Limits())
        assert "voicegraph[cluster]" in (caught.value.problems[0].fix or "")

    @pytest.mark.parametrize("address", ["", "10.0.0.1", "ray://10.0.0.1:10001", "a:b", "a:99999"])
    def test_what_is_no_address_is_refused(self, address: str) -> None:
        with pytest.raises(PipelineError, match="is no address of a cluster"):
            require_address(address)

    def test_nobody_answers(self) -> None:
        with pytest.raises(DeviceError, match="no Ray cluster answers at"):
            require_address("127.0.0.1:1")


def _no(module: str) -> bool:
    return False
