"""A real session on a fake sound card, controlled over HTTP and OSC."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control
from voicegraph.graph.live.devices.audio_backend import (
    CaptureCallback,
    OpenDevice,
    PlaybackCallback,
)
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.pipeline import Pipeline, node

from ..client import Client

RATE, PERIOD = 48000, 480


class SilentCard:
    """A sound card with one clock, a callback each 10 ms, and silent input."""

    one_clock = True
    lost = None

    def __init__(self) -> None:
        self.input = OpenDevice("made up", RATE, 1, 0.005)
        self.output = OpenDevice("made up", RATE, 1, 0.005)
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        frames = np.zeros((PERIOD, 1), np.float32)

        def run() -> None:
            while not self._end.wait(PERIOD / RATE):
                now = time.perf_counter()
                capture(frames, now, False)
                play(frames.copy(), now, False)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def reopen(self) -> bool:
        return False


@pytest.fixture
def session() -> Iterator[LiveSession]:
    pipeline = Pipeline(
        block="20ms",
        input={"rate": RATE, "channels": 1},
        nodes={"loud": node("dsp.gain", "input"), "limit": node("dsp.limiter", "loud")},
        output="limit",
        profiles={"soft": {"nodes.limit.params.ceiling": -12.0}},
    )
    live = LiveSession(pipeline.session(warm_up=False), SilentCard())
    live.start()
    yield live
    live.stop()


def test_real_session_is_controlled_over_http_and_osc(session: LiveSession) -> None:
    options = ControlOptions(http="127.0.0.1:0", osc="127.0.0.1:0")
    with Control(session, options) as control:
        assert control.http_url is not None
        assert control.osc_address is not None
        client = Client("127.0.0.1", int(control.http_url.rstrip("/").rpartition(":")[2]))
        assert client.ask("PUT", "/params/loud.db", {"value": -6}).json["value"] == -6
        assert client.ask("PUT", "/params/loud.db", {"value": -600}).status == 409
        missing = client.ask("PUT", "/params/laud.db", {"value": 0})
        assert (missing.status, missing.json["problems"][0]["fix"]) == (404, "loud.db")
        assert client.post("/command", {"do": "talk"}).code == "no-talk-key"
        assert client.post("/command", {"do": "variant"}).code == "no-variant"
        wrong = client.post("/command", {"do": "swap", "overrides": {"nodes.loud.use": "dsp.gian"}})
        assert (wrong.status, wrong.code) == (409, "unknown-node")
        assert client.post("/command", {"do": "bypass", "node": "loud"}).status == 200
        # The answer comes when the next command may come.
        assert _bypassed(client) == ["loud"]
        assert client.post("/command", {"do": "bypass", "node": "loud", "on": False}).status == 200
        assert _bypassed(client) == []
        swap = {"nodes.loud.use": "dsp.gate"}
        assert client.post("/command", {"do": "swap", "overrides": swap}).status == 200
        assert client.ask("PUT", "/params/loud.threshold", {"value": -50}).json["value"] == -50
        profiles = client.get("/profiles").json
        assert (profiles["profiles"], profiles["active"]) == (["soft"], [])
        assert client.post("/command", {"do": "profile", "name": "soft"}).status == 200
        assert client.get("/profiles").json["active"] == ["soft"]
        unknown = client.post("/command", {"do": "profile", "name": "sofd"})
        assert (unknown.status, unknown.code) == (409, "unknown-profile")
        assert unknown.json["problems"][0]["fix"] == "soft"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            stop = OscMessageBuilder("/voicegraph/stop").build().dgram
            device.sendto(stop, ("127.0.0.1", int(control.osc_address.rpartition(":")[2])))
        assert session.stopped.wait(20)
        assert client.get("/status").json["state"] == "stopped"
    assert session.error is None


def _bypassed(client: Client) -> list[str]:
    return [load["name"] for load in client.get("/status").json["nodes"] if load["bypassed"]]
