"""Draws the terminal screen of a fake live session for the documentation, reproducibly.

python tools/screenshot.py                     writes docs/images/live.svg
python tools/screenshot.py other.svg 80x24     writes another file, at another size
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from pathlib import Path

from voicegraph.app.reports.drawing.style import FONT
from voicegraph.app.tui.screen import LiveScreen
from voicegraph.graph.live.health import health_events
from voicegraph.graph.registry import find
from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LiveLatency,
    LiveParam,
    LiveStatus,
    NodeLoad,
)

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "live.svg"
SIZE = (110, 30)

LOADS = (
    ("to16k", "dsp.resample", 0.31, 0.52),
    ("f0", "f0.rmvpe", 18.4, 31.0),
    ("pitch", "pitch.cache", 0.22, 0.35),
    ("content", "content.hubert", 21.7, 26.9),
    ("retrieval", "retrieval.faiss", 3.1, 6.4),
    ("protect", "retrieval.protect", 0.08, 0.14),
    ("synth", "synth.rvc", 26.3, 30.2),
    ("loudness", "dsp.rms_mix", 0.35, 0.61),
    ("sola", "dsp.sola", 0.42, 0.77),
    ("limiter", "dsp.limiter", 0.19, 0.31),
)
PARAMS = (
    ("pitch.transpose", 7.0),
    ("retrieval.rate", 0.5),
    ("protect.protect", 0.33),
    ("synth.speaker", 0),
    ("synth.formant", 0.0),
    ("synth.noise_scale", 0.66666),
    ("loudness.mix", 0.25),
)


def live_param(name: str, value: float) -> LiveParam:
    """A live param with the range, unit and description that its node declares."""
    node, _, field = name.partition(".")
    use = next(use for label, use, *_ in LOADS if label == node)
    schema = find(use).Params.model_json_schema()["properties"][field]
    return LiveParam(
        name=name,
        value=value,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        unit=schema.get("unit"),
        description=" ".join(schema["description"].split()),
    )


def status(seconds: float) -> LiveStatus:
    """Status of a session with an RVC voice.

    Args:
        seconds: time since the session began.
    """
    peak = -3.4 if seconds < 754 else -9.8
    late = LateReport(blocks=3, last_minute=1, worst_ms=11.3, blamed={"f0": 2, "(system)": 1})
    health = LiveHealth(late=late, underruns=1, clipped_in=12)
    return LiveStatus(
        state="running",
        pipeline="rvc",
        seconds=seconds,
        tick=int(seconds / 0.16),
        block_ms=160,
        input=EndReport(
            device="USB Microphone: Audio (hw:1,0)", rate_hz=48000, channels=1, peak_db=peak,
            rms_db=-23.9, clipped=12, lost=0,
        ),
        output=EndReport(
            device="Built-in Analog Stereo", rate_hz=44100, channels=2, peak_db=peak - 1.5,
            rms_db=-21.2, clipped=0, lost=1,
        ),
        compute_median_ms=71.1,
        compute_p99_ms=96.8,
        compute_max_ms=171.3,
        headroom=1 - 96.8 / 160,
        nodes=[
            *(NodeLoad(name=n, use=u, median_ms=m, p99_ms=p) for n, u, m, p in LOADS),
            NodeLoad(name="denoise", use="", median_ms=0, p99_ms=0, bypassed=True),
        ],
        late=late,
        health=health.model_copy(update={"events": health_events(health)}),
        latency=LiveLatency(
            algorithmic_ms=85.3, buffering_ms=324.0, device_ms=18.7, measured_ms=429.1
        ),
        drift=DriftReport(
            one_clock=False, drift_ppm=38.2, correction_ppm=37.9, offset_ms=-0.04, realigned=0
        ),
        monitor=True,
        variant="a",
        params=[live_param(name, value) for name, value in PARAMS],
        messages=[
            "engine: real-time priority (SCHED_FIFO 5)",
            "changed: nodes.denoise.enabled=False",
            "late by 11.3 ms: f0",
        ],
        recording="session.jsonl",
    )  # fmt: skip


class FakeSession:
    """A session with a fixed status."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.seconds = 753.2

    def status(self) -> LiveStatus:
        """The status at ``seconds``."""
        return status(self.seconds)

    def command(self, command: LiveCommand) -> None:
        """Ignores the command."""

    def say(self, text: str) -> None:
        """Ignores the message."""

    def count_dropped_packets(self, count: int) -> None:
        """Packets do not come here."""

    def request_stop(self) -> None:
        """Stops at once."""
        self.stopped.set()


async def draw(size: tuple[int, int]) -> str:
    """The screen as SVG."""
    session = FakeSession()
    app = LiveScreen(session)
    async with app.run_test(size=size) as pilot:
        session.seconds = 754.1  # a second later, so that the meters hold the peak
        app.poll()
        await pilot.pause()
        return _without_web_font(app.export_screenshot(title="voicegraph live rvc"))


def _without_web_font(svg: str) -> str:
    """Removes the web font, which a viewer would download, in favour of any monospace font."""
    alone = re.sub(r" *@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONT}", alone)


def main(arguments: list[str]) -> None:
    """Writes the SVG file."""
    target = Path(arguments[0]) if arguments else TARGET
    columns, rows = map(int, arguments[1].split("x")) if arguments[1:] else SIZE
    drawn = asyncio.run(draw((columns, rows)))
    target.write_text(drawn, encoding="utf-8", newline="\n")
    print(target)


if __name__ == "__main__":
    main(sys.argv[1:])
