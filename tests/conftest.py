"""Fixtures and checks for all tests."""

from __future__ import annotations

import importlib.metadata
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

# Read when numpy and torch are imported, and by every process that a test starts: tests run in two
# processes, and one thread each is faster there than two. `tools/check.py numerics` sets others.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

from voicegraph.graph import registry
from voicegraph.graph.node import Node
from voicegraph.nodes import BUILTIN

from .alone import Turns
from .fake_sounddevice import FakeSoundDevice

# No test sees or touches what the user keeps: voices, presets, takes, notes about sessions.
_USER = tempfile.TemporaryDirectory(prefix="voicegraph-tests-", ignore_cleanup_errors=True)
os.environ["VOICEGRAPH_DATA"] = str(Path(_USER.name) / "data")
os.environ["VOICEGRAPH_STATE"] = str(Path(_USER.name) / "state")

# The same examples every time, and no time limit for one: machines that build are often busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


@pytest.fixture(autouse=True, scope="module")
def _no_node_stays_registered() -> Iterator[None]:
    """A test's own node that stays registered would appear in the node lists of later tests."""
    yield
    installed = importlib.metadata.entry_points(group="voicegraph.nodes").names
    left = {*registry.names()} - BUILTIN.keys() - installed
    assert not left, f"registered at import, or not removed again: {', '.join(sorted(left))}"


Register = Callable[[str], Callable[[type[Node]], type[Node]]]


@pytest.fixture
def scratch_registry() -> Iterator[Register]:
    """``scratch_registry("test.name")(NodeClass)``: registered until the test ends."""
    with registry.isolated():
        yield registry.register


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for the whole suite; none beside this one if paths or ``-k`` select tests.

    Every process imports torch and collects the tests anew, which costs more than a few files take.
    """
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    return 2 if whole and not config.option.keyword else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives each process whole files, and one of them all that needs the virtual sound card."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "sound" if "tests/sound/" in nodeid else super()._split_scope(nodeid)

    config.option.loadscopereorder = False  # the order below
    return Files(config, log)


_TURNS = pytest.StashKey[Turns]()
_LOCKS = tempfile.TemporaryDirectory(prefix="voicegraph-turns-", ignore_cleanup_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process of pytest-xdist where the locks of all are."""
    node.workerinput["locks"] = _LOCKS.name


def pytest_configure(config: pytest.Config) -> None:
    """Processes of pytest-xdist take turns; a single one has nobody to wait for."""
    if (worker := getattr(config, "workerinput", None)) is not None:
        number = int(worker["workerid"].removeprefix("gw"))
        count = worker["workercount"]
        # One that replaces a process that crashed has a higher number.
        config.stash[_TURNS] = Turns(Path(worker["locks"]), number % count, count)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outside the time limit of a test
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Waits until it is the test's turn."""
    turns = item.config.stash.get(_TURNS, None)
    if turns is None:
        return (yield)
    with turns.taken(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The sound card's tests come first: they wait most of the time, and nothing waits for them."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/sound/"))


Filled = Callable[..., dict[str, torch.Tensor]]


@pytest.fixture(scope="session")
def filled() -> Filled:
    """``filled(shapes, seed=1)``: the weights that the reference's numbers were made with."""
    rule: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "fill.py"))
    return rule["filled"]


WriteModels = Callable[..., None]


@pytest.fixture(scope="session")
def write_models() -> WriteModels:
    """``write_models(folder)``: small files of everything that an RVC voice takes.

    ``voice.pth`` and ``plain.pth`` (without pitch) of version 1, ``hubert.safetensors`` that goes
    with them, ``added.index`` and ``rmvpe.pt``. ``config`` is that of the voices.
    """
    import faiss

    from voicegraph.nodes.content import hubert_example
    from voicegraph.nodes.content.hubert_sizes import HubertSizes
    from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
    from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
    from voicegraph.nodes.synth import rvc_example

    def write(folder: Path, config: list[Any] = rvc_example.CONFIG) -> None:
        for name, f0 in {"voice": True, "plain": False}.items():
            torch.save(rvc_example.voice(config, "v1", f0), folder / f"{name}.pth")
        sizes = HubertSizes((16,) * 7, (10, 3, 3, 3, 3, 2, 2), 32, 48, 9, 2, 16, 4, 256)
        hubert_example.write(folder / "hubert.safetensors", sizes)
        faiss.write_index(with_lists(vectors(300, 256), 4, 2), str(folder / "added.index"))
        rmvpe_example.write(folder / "rmvpe.pt")

    return write


@pytest.fixture
def sound_system(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    """Replaces ``sounddevice``: a microphone (0), a loudspeaker (1) and a headset (2)."""
    system = FakeSoundDevice()
    system.add("Microphone", inputs=1)
    system.add("Loudspeaker", outputs=2)
    system.add("Headset", inputs=1, outputs=2)
    system.default.device = [0, 1]
    monkeypatch.setitem(sys.modules, "sounddevice", system)  # pyright: ignore[reportArgumentType]
    return system
