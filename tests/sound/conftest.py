"""The virtual sound card of ``tools/virtual_card.py``, and live sessions on it."""

from __future__ import annotations

import runpy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import registry
from voicegraph.graph.live.devices.audio_backend import (
    AudioBackend,
    CaptureCallback,
    PlaybackCallback,
)
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import DeviceRequest, LiveSetup, set_up_live
from voicegraph.graph.node import Node, Tensors
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio

_HEARD_S = 30
_TOOL: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "tools" / "virtual_card.py")
)
VirtualCard = _TOOL["VirtualCard"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the card, and hears every block that is late."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.sound)
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running PulseAudio whose devices PortAudio lists."""
    if (why := _TOOL["why_not"]()) is not None:
        pytest.skip(why)
    with _running(tmp_path_factory.mktemp("pulse")) as found:
        yield found


@pytest.fixture(scope="module", params=["PulseAudio", "PipeWire"])
def sound_server(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    """Each sound server that is here; only programs that are started use the second one."""
    if request.param == "PulseAudio":
        yield request.getfixturevalue("daemon")
        return
    if (why := _TOOL["why_not"](pipewire=True)) is not None:
        pytest.skip(why)
    found = _TOOL["PipeWireCard"](tmp_path_factory.mktemp("pipewire"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def other_daemon(daemon: Any, tmp_path: Path) -> Iterator[Any]:
    """A second PulseAudio in its place, which a test may stop."""
    with _running(tmp_path) as found:
        yield found
    _rescan()


@contextmanager
def _running(place: Path) -> Iterator[Any]:
    found = VirtualCard(place)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        found.start()
        _rescan()
        try:
            yield found
        finally:
            found.stop()
    _rescan()


def _rescan() -> None:
    from voicegraph.graph.live.devices._portaudio import rescan

    rescan()


@pytest.fixture
def setup(daemon: Any) -> Callable[..., LiveSetup]:
    """Devices and a pipeline: ``setup(pipeline, "mon_a", "loop_b")``."""

    def make(pipeline: Pipeline, source: str, target: str, **options: Any) -> LiveSetup:
        return set_up_live(pipeline, DeviceRequest(source), DeviceRequest(target), **options)

    return make


@pytest.fixture
def passing() -> Callable[..., Pipeline]:
    """A pipeline that passes audio through; with ``use``, through another node."""

    def make(block: str = "20ms", use: str = "dsp.gain", **keys: Any) -> Pipeline:
        return Pipeline(
            block=block,
            input={"rate": 48000},
            nodes={"pass": node(use, "input")},
            output="pass",
            **keys,
        )

    return make


@pytest.fixture
def started() -> Iterator[Callable[[LiveSession], LiveSession]]:
    """Starts a session, waits until blocks are processed, and stops it at the end."""
    begun: list[LiveSession] = []

    def start(live: LiveSession) -> LiveSession:
        begun.append(live)
        live.start()
        _wait_for(live, lambda: live.state == "running")
        return live

    yield start
    for live in begun:
        live.stop()


def _wait_for(live: LiveSession, there: Callable[[], bool], seconds: float = _HEARD_S) -> None:
    """Waits until a condition holds; fails if the session ends before."""
    for _ in range(round(50 * seconds)):
        if there():
            return
        assert not live.stopped.wait(0.02), live.error
    raise AssertionError(f"not within {seconds} s; state {live.state}, {live.messages.texts[-3:]}")


@pytest.fixture
def slow_node() -> Iterator[list[float]]:
    """Registers ``test.slow``, which passes audio through after a sleep taken from the list."""
    naps: list[float] = []

    class Slow(Node):
        audio = In(Audio)
        out = Out(Audio, like="audio")

        def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
            if naps:
                time.sleep(naps.pop())
            return {"out": inputs["audio"]}

    with registry.isolated({"test.slow": Slow}):
        yield naps


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Waits until a condition holds: ``wait_for(live, lambda: ..., seconds)``."""
    return _wait_for


# ---- hearing ------------------------------------------------------------------------------------

Sound = Callable[[int, int], np.ndarray]
"""Samples ``[N]`` from a position on."""


class Ear:
    """Wraps a card: ``sound`` replaces its input, and its output is kept.

    What the device really records, its own output through the cable, is kept, too.

    Args:
        card: the real one.
        sound: what the engine hears.
        seconds: how much is kept.
    """

    def __init__(self, card: AudioBackend, sound: Sound, seconds: float = 60) -> None:
        self._card, self._sound = card, sound
        self.input, self.output, self.one_clock = card.input, card.output, card.one_clock
        self.said = 0
        self.count = 0
        self.played = np.zeros(round(seconds * card.output.rate), np.float32)
        self.cable = np.zeros(round(seconds * card.input.rate), np.float32)

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        def hear(frames: np.ndarray, when: float, lost: bool) -> None:
            there = min(len(frames), max(len(self.cable) - self.said, 0))
            self.cable[self.said : self.said + there] = frames[:there, 0]
            made = np.repeat(self._sound(self.said, len(frames))[:, None], frames.shape[1], 1)
            self.said += len(frames)
            capture(made.astype(np.float32), when, lost)

        def listen(into: np.ndarray, when: float, starved: bool) -> None:
            play(into, when, starved)
            there = min(len(into), max(len(self.played) - self.count, 0))
            self.played[self.count : self.count + there] = into[:there, 0]
            self.count += len(into)

        self._card.start(hear, listen)

    def stop(self) -> None:
        self._card.stop()

    @property
    def lost(self) -> str | None:
        return self._card.lost

    def reopen(self) -> bool:
        return self._card.reopen()

    def wait(self, stopped: threading.Event, seconds: float) -> int:
        """Waits until so much more was played; returns where that began."""
        begun = self.count
        while self.count < begun + seconds * self.output.rate:
            assert not stopped.wait(0.02)
        return begun

    @property
    def heard(self) -> np.ndarray:
        """All that was played so far."""
        return self.played[: self.count]


_NOISE = np.random.default_rng(7).uniform(-0.4, 0.4, 48000).astype(np.float32)


@pytest.fixture
def noise() -> Sound:
    """A second of noise, repeated, so that every position differs from every other."""
    return lambda start, count: _NOISE[np.arange(start, start + count) % len(_NOISE)]


@pytest.fixture
def sine() -> Sound:
    """440 Hz at 48 kHz, at a quarter of full scale."""
    step = 2 * np.pi * 440 / 48000
    return lambda start, count: 0.25 * np.sin(step * np.arange(start, start + count))


@pytest.fixture
def listening(
    setup: Callable[..., LiveSetup], started: Callable[[LiveSession], LiveSession]
) -> Callable[..., tuple[LiveSession, Ear]]:
    """A running session whose input is a signal: ``(live, ear)``."""

    def listen(
        pipeline: Pipeline, source: str, target: str, sound: Sound, **options: Any
    ) -> tuple[LiveSession, Ear]:
        found = setup(pipeline, source, target)
        ear = Ear(found.open_card(), sound)
        settings = LiveOptions(**{"margin_s": 0.008, **options})
        return started(LiveSession(found.plan.session(), ear, settings)), ear

    return listen


@pytest.fixture
def lag_at() -> Callable[[np.ndarray, int], int]:
    """Delay in samples of 2,000 samples of played noise, found by exact comparison.

    Of the second in which the noise repeats itself; -1 where they are nowhere.
    """

    def lag(heard: np.ndarray, at: int) -> int:
        part = heard[at : at + 2000]
        around = np.concatenate((_NOISE, _NOISE[:2000]))
        for first in np.flatnonzero(part[0] == _NOISE):
            if np.array_equal(around[first : first + 2000], part):
                return (at - int(first)) % len(_NOISE)
        return -1

    return lag
