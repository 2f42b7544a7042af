"""OSC over real sockets: messages run, malformed ones are reported, the server goes on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control
from voicegraph.app.osc._inbox import MOST_COMMANDS
from voicegraph.app.osc.server import LARGEST_DATAGRAM
from voicegraph.schemas.control import ControlLimits
from voicegraph.schemas.live_command import Bypass, Mute, SetParam, Stop, Swap

from ..fake_live import FakeLive

Send = Callable[[bytes], None]


def _message(address: str, *values: Any) -> OscMessage:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


@pytest.fixture
def send(live: FakeLive) -> Iterator[Send]:
    """Sends a datagram to the session's OSC."""
    with (
        Control(live, ControlOptions(osc="127.0.0.1:0")) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert control.osc_address is not None
        sender.connect(("127.0.0.1", int(control.osc_address.rpartition(":")[2])))
        yield lambda datagram: sender.sendall(datagram)


def _assert_still_running(send: Send, live: FakeLive) -> None:
    send(_message("/voicegraph/mute", 1).dgram)
    live.wait_for(lambda: Mute(on=True) in live.done)


def test_messages_run_in_their_order(send: Send, live: FakeLive) -> None:
    send(_message("/voicegraph/set", "pitch.transpose", 7.0).dgram)
    send(_message("/voicegraph/param/pitch/transpose", -2).dgram)
    send(_message("/voicegraph/stop").dgram)
    live.wait_for(lambda: len(live.done) == 3)
    assert live.done == [
        SetParam(param="pitch.transpose", value=7.0),
        SetParam(param="pitch.transpose", value=-2),
        Stop(),
    ]
    assert live.said == []


def test_bundles_run_at_once_whatever_their_time(send: Send, live: FakeLive) -> None:
    later = OscBundleBuilder(2_000_000_000)  # pyright: ignore[reportArgumentType]
    later.add_content(_message("/voicegraph/mute", 1))
    bundle = OscBundleBuilder(IMMEDIATELY)
    bundle.add_content(later.build())
    bundle.add_content(_message("/voicegraph/bypass", "limiter", 1))
    send(bundle.build().dgram)
    live.wait_for(lambda: len(live.done) == 2)
    assert {command.do for command in live.done} == {"mute", "bypass"}


@pytest.mark.parametrize(
    ("datagram", "reported"),
    [
        (b"", "not an OSC message"),
        (b"hello", "not an OSC message"),
        (b"/voicegraph/mute", "not an OSC message"),
        (b"/voicegraph/mute\0\0\0\0,i\0\0", "not an OSC message"),
        (b"/voicegraph/mute\0\0\0\0i\0\0\0\0\0\0\1", "not an OSC message"),
        (b"/\xff\xfe\0,\0\0\0", "no OSC address /\N{REPLACEMENT CHARACTER}"),
        (b"#bundle\0", "not an OSC message"),
        (b"#bundle\0" + 8 * b"\0" + b"\0\0\xff\xff", "sizes do not fit"),
        (b"#bundle\0" + 8 * b"\0" + b"\0\0\0\4nope", "does not begin with /"),
        (b"#bundle\0" + 8 * b"\0" + 8 * b"\0", "sizes do not fit"),
        (b"/voicegraph/mute\0\0\0\0," + 9 * b"T" + b"\0\0", "more than 8 values"),
        (b"/voicegraph/mute\0\0\0\0,?\0\0", "Unhandled parameter type"),
        (_message("/elsewhere", 1).dgram, "no OSC address /elsewhere"),
        (_message("/voicegraph/mutes", 1).dgram, "(/voicegraph/mute)"),
        (_message("/voicegraph/mute", "on").dgram, "expected 0|1"),
        (_message("/voicegraph/set", "pitch.nothing", 1).dgram, "there is no param pitch.nothing"),
        (_message("/voicegraph/set", "pitch.transpose", float("nan")).dgram, "finite"),
        (_message("/voicegraph/variant", "b").dgram, "--b PATH=VALUE"),
        ((LARGEST_DATAGRAM + 1) * b"/", "more than 8192 bytes"),
    ],
)
def test_malformed_message_is_reported(
    send: Send, live: FakeLive, datagram: bytes, reported: str
) -> None:
    send(datagram)
    live.wait_for(lambda: bool(live.said))
    assert live.said[0].startswith("OSC: ")
    assert reported in live.said[0]
    _assert_still_running(send, live)


def test_deeply_nested_bundle_does_not_stop_the_server(send: Send, live: FakeLive) -> None:
    datagram = b""
    while len(datagram) < LARGEST_DATAGRAM - 20:
        datagram = b"#bundle\0" + 8 * b"\0" + len(datagram).to_bytes(4, "big") + datagram
    send(datagram)
    _assert_still_running(send, live)


def test_random_datagrams_do_not_stop_the_server(live: FakeLive) -> None:
    starts = st.sampled_from([b"", b"/voicegraph/", b"/voicegraph/mute\0\0\0\0,", b"#bundle\0"])
    with (
        Control(live, ControlOptions(osc="127.0.0.1:0")) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert control.osc_address is not None
        sender.connect(("127.0.0.1", int(control.osc_address.rpartition(":")[2])))

        @given(starts, st.binary(max_size=60))
        @settings(max_examples=100)
        def feed(start: bytes, rest: bytes) -> None:
            sender.sendall(start + rest)
            live.done.clear()
            sender.sendall(_message("/voicegraph/bypass", "limiter", 1).dgram)
            live.wait_for(lambda: Bypass(node="limiter", on=True) in live.done)

        feed()


def test_failed_slow_command_is_reported(send: Send, live: FakeLive) -> None:
    """The OSC command waits in the queue behind a swap."""
    with Control(live) as other:
        swap = Swap(overrides={"block": "20ms"})
        waiting = other._service.submit(swap)
        send(_message("/voicegraph/variant", "other").dgram)
        live.gate.set()
        waiting.result(20)
    live.wait_for(lambda: bool(live.said))
    assert live.said == ["OSC: this session has one variant (start it with --b PATH=VALUE)"]


def test_feedback_sends_only_changed_values(live: FakeLive) -> None:
    before = set(threading.enumerate())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", 0))
        device.settimeout(20)
        target = f"127.0.0.1:{device.getsockname()[1]}"
        with Control(live, ControlOptions(osc="127.0.0.1:0", osc_feedback=target)):
            first = dict(_received(device) for _ in range(9))
            assert first == {
                "/voicegraph/mute": 0,
                "/voicegraph/talk": 0,
                "/voicegraph/monitor": 0,
                "/voicegraph/record": 0,
                "/voicegraph/state": "running",
                "/voicegraph/late": 0.0,
                "/voicegraph/level/input": -20.0,
                "/voicegraph/level/output": -20.0,
                "/voicegraph/param/pitch/transpose": 0.0,
            }
            live.values["pitch.transpose"] = 7
            assert _received(device) == ("/voicegraph/param/pitch/transpose", 7.0)
            live.on["mute"] = True
            assert _received(device) == ("/voicegraph/mute", 1)
    assert set(threading.enumerate()) <= before


def _received(device: socket.socket) -> tuple[str, object]:
    message = OscMessage(device.recv(4096))
    (value,) = message.params
    return message.address, value


def _bundle(*messages: OscMessage) -> bytes:
    bundle = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        bundle.add_content(message)
    return bundle.build().dgram


@pytest.fixture
def send_few(live: FakeLive) -> Iterator[Send]:
    """As ``send``, to a session that executes 10 commands a second, 2 of them at once."""
    limits = ControlLimits(osc_commands=10)
    with (
        Control(live, ControlOptions(osc="127.0.0.1:0", limits=limits)) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert control.osc_address is not None
        sender.connect(("127.0.0.1", int(control.osc_address.rpartition(":")[2])))
        yield lambda datagram: sender.sendall(datagram)


def test_last_of_many_values_is_set(send_few: Send, live: FakeLive) -> None:
    values = [_message("/voicegraph/set", "pitch.transpose", n / 10) for n in range(-99, 101)]
    send_few(_bundle(*values[:100]))
    send_few(_bundle(*values[100:]))
    live.wait_for(lambda: live.values["pitch.transpose"] == 10.0)
    assert len(live.done) < 20
    assert live.dropped_packets == 0


def test_commands_beyond_the_limit_are_dropped_and_counted(send_few: Send, live: FakeLive) -> None:
    send_few(_bundle(*(_message("/voicegraph/mute", 1) for _ in range(MOST_COMMANDS + 30))))
    live.wait_for(lambda: bool(live.said))
    assert live.dropped_packets == 30
    assert "30 dropped so far (--control-limit" in live.said[0]


def test_packets_beyond_the_budget_are_not_read(live: FakeLive) -> None:
    """One at a time, so that the system's buffer holds them all."""
    limits = ControlLimits(osc_packets=10)
    with (
        Control(live, ControlOptions(osc="127.0.0.1:0", limits=limits)) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert control.osc_address is not None
        sender.connect(("127.0.0.1", int(control.osc_address.rpartition(":")[2])))
        began = time.monotonic()
        for _ in range(50):
            sender.sendall(_message("/voicegraph/mute", 1).dgram)
        live.wait_for(lambda: bool(live.done))
        time.sleep(0.05)
        count = len(live.done)
        assert count <= 10 * (time.monotonic() - began + 0.25) + 1
