"""OSC messages parsed into commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from voicegraph.app.control.error_responses import InvalidError
from voicegraph.app.control.service import Service
from voicegraph.app.osc._messages import read_message
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Stop,
    Talk,
)

from ..fake_live import FakeLive


@pytest.fixture
def service(live: FakeLive) -> Iterator[Service]:
    made = Service(live)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("address", "values", "command"),
    [
        ("set", ["pitch.transpose", 7.5], SetParam(param="pitch.transpose", value=7.5)),
        ("set", ["delay.time", "10ms"], SetParam(param="delay.time", value="10ms")),
        ("param/pitch/transpose", [-3], SetParam(param="pitch.transpose", value=-3)),
        ("param/a/on", [True], SetParam(param="a.on", value=True)),
        ("mute", [1], Mute(on=True)),
        ("mute", [0.0], Mute(on=False)),
        ("mute", [False], Mute(on=False)),
        ("mute", [], Mute(on=True)),
        ("talk", [1], Talk(on=True)),
        ("monitor", [0], Monitor(on=False)),
        ("monitor", [], Monitor(on=True)),
        ("record", [1], Record(on=True)),
        ("record", [0], Record(on=False)),
        ("record", [], Record(on=True)),
        ("mark", ["chorus"], Mark(text="chorus")),
        ("mark", ["x" * 2000], Mark(text="x" * 1000)),
        ("mark", [], Mark()),
        ("mark", [1.0], Mark()),
        ("mark", [0], None),
        ("bypass", ["limiter", 1], Bypass(node="limiter", on=True)),
        ("bypass", ["limiter"], Bypass(node="limiter", on=True)),
        ("profile", ["deep"], ChooseProfile(name="deep")),
        ("profile", [], ChooseProfile(name=None)),
        ("profile", [""], ChooseProfile(name=None)),
        ("voice", ["alice"], ChooseVoice(name="alice")),
        ("variant", [], ChooseVariant(name="other")),
        ("variant", ["a"], ChooseVariant(name="a")),
        ("variant", [1.0], ChooseVariant(name="other")),
        ("variant", [0], None),
        ("stop", [], Stop()),
        ("stop", [1], Stop()),
        ("stop", [0.0], None),
    ],
)
def test_every_address_becomes_its_command(
    service: Service, address: str, values: list[Any], command: LiveCommand | None
) -> None:
    assert read_message(f"/voicegraph/{address}", values, service) == command


def test_message_without_value_toggles(service: Service, live: FakeLive) -> None:
    live.on["mute"] = True
    live.off.add("gate")
    assert read_message("/voicegraph/mute", [], service) == Mute(on=False)
    assert read_message("/voicegraph/bypass", ["gate"], service) == Bypass(node="gate", on=False)


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("set", []),
        ("set", ["a.b"]),
        ("set", ["a.b", 1, 2]),
        ("set", [5, 1]),
        ("set", ["a.b", None]),
        ("set", ["a.b", b"blob"]),
        ("set", ["a.b", [1, 2]]),
        ("param", [1]),
        ("param/a", [1]),
        ("param/a/b/c", [1]),
        ("param/a/b", []),
        ("mute", [2]),
        ("mute", [0.5]),
        ("mute", [1, 1]),
        ("mute", [None]),
        ("mute/on", [1]),
        ("bypass", []),
        ("bypass", [1]),
        ("bypass", ["a", "on"]),
        ("variant", ["c"]),
        ("variant", ["a", "b"]),
        ("stop", ["now"]),
    ],
)
def test_wrong_values_name_the_expected_ones(
    service: Service, address: str, values: list[Any]
) -> None:
    with pytest.raises(InvalidError) as caught:
        read_message(f"/voicegraph/{address}", values, service)
    (problem,) = caught.value.problems
    assert problem.code == "bad-message"
    assert "expected" in problem.message


@pytest.mark.parametrize(
    ("address", "fix"),
    [
        ("/voicegraph/mut", "/voicegraph/mute"),
        ("/voicegraf/mute", "/voicegraph/mute"),
        ("/voicegraph", None),
        ("/avatar/parameters/Viseme", None),
        ("/*", None),
    ],
)
def test_unknown_address_suggests_a_similar_one(
    service: Service, address: str, fix: str | None
) -> None:
    with pytest.raises(InvalidError) as caught:
        read_message(address, [1], service)
    (problem,) = caught.value.problems
    assert problem.code == "no-such-address"
    assert fix is None or problem.fix == fix
