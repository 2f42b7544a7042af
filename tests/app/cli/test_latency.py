"""``voicegraph latency``: what is typed and printed; measuring itself is tested in graph/live."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.app.diagnostics import latency
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.schemas.latency_measurement import DelayRun, LatencyMeasurement

from ...fake_sounddevice import FakeSoundDevice

Cli = Callable[..., tuple[int, str, str]]


def _found(measured: float) -> LatencyMeasurement:
    return LatencyMeasurement(
        pipeline="good", input="in", output="out", machine=describe_machine(), block_ms=10,
        algorithmic_ms=5, buffering_ms=24, device_claimed_ms=20, device_ms=21,
        measured_ms=measured, compute_median_ms=1, compute_p99_ms=2, late=0,
        runs=[DelayRun(device_ms=21, whole_ms=measured + d, sure=1) for d in (0, 1.5)],
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of the measurement, which finds what ``measured_ms`` says."""
    calls: list[Any] = []

    def measure(setup: Any, margin_s: float, runs: int, tell: Any) -> LatencyMeasurement:
        calls.append((setup, margin_s, runs))
        if tell is not None:
            tell("1 of 2: through the devices")
        return _found(calls[0] if isinstance(calls[0], float) else 51.0)

    monkeypatch.setattr(latency, "measure_latency", measure)
    return calls


def test_parts_and_their_sum_are_printed(
    cli: Cli, sound_system: FakeSoundDevice, asked: list[Any]
) -> None:
    code, out, err = cli(
        "latency", "good.yaml", "--runs", "2", "--margin", "8ms", "--delay", "0.3s"
    )
    assert code == 0
    [(setup, options, runs)] = asked
    assert options == LiveOptions(margin_s=0.008, delay_s=0.3)
    assert (runs, setup.plan.name) == (2, "good")
    assert err == "1 of 2: through the devices\n"
    rows = {line.split()[0]: line.split()[1] for line in out.splitlines() if " ms  " in line}
    assert rows["algorithmic"] == "5.0"
    assert rows["buffering"] == "24.0"
    assert rows["device"] == "21.0"
    assert "sum             50.0 ms" in out
    assert "measured        51.0 ms  +1.0 ms against the sum" in out
    assert "2 measurements, which differ by 1.5 ms at most" in out
    assert "a headroom of 80%" in out


@pytest.mark.parametrize(("measured", "code"), [(44.9, 1), (45.0, 0), (55.0, 0), (55.1, 1)])
def test_deviation_above_5_ms_is_exit_code_1(
    cli: Cli, sound_system: FakeSoundDevice, asked: list[Any], measured: float, code: int
) -> None:
    asked.append(measured)
    found, out, err = cli("latency", "good.yaml", "--json")
    assert (found, err) == (code, "")
    assert json.loads(out)["measured_ms"] == measured


def test_dry_run_keeps_the_block_size(
    cli: Cli, sound_system: FakeSoundDevice, asked: list[Any]
) -> None:
    assert cli("latency", "world", "--dry")[0] == 0
    plan = asked[0][0].plan
    assert plan.name == "world (dry)"
    assert [planned.use for planned in plan.nodes] == ["dsp.gain"]
    assert float(plan.block) == 0.1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nixda"], 2, "no shipped pipeline"),
        (["world", "--dry", "--room", "20ms"], 2, "leave one of the two out"),
        (["bad.yaml"], 2, "bad.yaml:3:14"),
        (["good.yaml", "--runs", "0"], 2, "--runs"),
        (["good.yaml", "--margin", "4"], 2, "--margin"),
        (["good.yaml", "--margin", "-4ms"], 2, "--margin"),
        (["good.yaml", "--buffers", "lots"], 2, "--buffers"),
        (["good.yaml", "--input", "nobody"], 5, "no device that records"),
        (["good.yaml", "--output", "0"], 5, "device 0 (Microphone) has no output"),
        (["good.yaml", "--exclusive"], 5, "exclusive use is WASAPI's"),
        (["good.yaml", "--output-channels", "3"], 5, "has 2 channels for output, not 3"),
    ],
)
def test_wrong_arguments_are_refused(
    cli: Cli,
    sound_system: FakeSoundDevice,
    asked: list[Any],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    found, out, err = cli("latency", *arguments)
    assert (found, out) == (code, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert asked == []


def test_no_device_is_reported(cli: Cli, sound_system: FakeSoundDevice, asked: list[Any]) -> None:
    sound_system.devices.clear()
    code, _, err = cli("latency", "good.yaml")
    assert code == 5
    assert "there is no sound device that records" in err
