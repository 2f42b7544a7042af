"""The measures of a port by name: unit, direction, and to which kinds of signal each applies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AUDIO, FEATURES, PITCH, MASK = "audio", "features", "pitch", "mask"
ALL = (AUDIO, FEATURES, PITCH, MASK)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Attributes:
        name: as in ``--within``.
        field: its name in :class:`~voicegraph.schemas.comparison_report.DifferenceReport`.
        better: whether two signals are nearer to each other if it is ``high`` or ``low``.
        kinds: of signal to which it applies; none: it is about compute time.
        unit: its unit in ``--within``; may be left out there.
        magnitude: the sign does not count: -6 dB are as far off as 6 dB.
        text: what it is.
    """

    name: str
    field: str
    better: Literal["high", "low"]
    kinds: tuple[str, ...]
    unit: str
    text: str
    magnitude: bool = False

    @property
    def share(self) -> bool:
        """Whether it is a ratio, which may be given in %."""
        return self.unit == ""


CPU = "cpu"
"""The measure of compute time."""

_MEASURES = (
    Measure("max", "max", "low", ALL, "", "largest difference, in the unit of the values"),
    Measure("rms", "rms", "low", ALL, "", "RMS difference"),
    Measure("rel", "rel", "low", (AUDIO, FEATURES, MASK), "", "RMS difference over RMS of A"),
    Measure("snr", "snr_db", "high", (AUDIO, FEATURES, MASK), "dB", "signal-to-noise ratio"),
    Measure("gain", "gain_db", "low", (AUDIO, FEATURES), "dB", "gain mismatch, either way", True),
    Measure("lsd", "lsd_db", "low", (AUDIO,), "dB", "log-spectral distance"),
    Measure("cents", "cents", "low", (AUDIO, PITCH), "cents", "mean absolute F0 difference"),
    Measure("gross", "gross", "low", (AUDIO, PITCH), "", "share of F0 off by over 100 cents"),
    Measure("voicing", "voicing", "high", (AUDIO, PITCH), "", "voicing agreement"),
    Measure("cosine", "cosine", "high", (FEATURES,), "", "mean cosine of centred frames"),
    Measure("cosine_min", "cosine_min", "high", (FEATURES,), "", "least cosine of centred frames"),
    Measure("offset", "offset_ms", "low", ALL, "ms", "offset left by the latencies", True),
    Measure(CPU, "cpu_ratio", "low", (), "", "CPU time of B over that of A"),
)
MEASURES = {measure.name: measure for measure in _MEASURES}
"""By name, in the order of tables."""
EXAMPLES = {
    "max": "1e-3", "rms": "1e-4", "rel": "1%", "snr": "30dB", "gain": "0.5dB", "lsd": "1dB",
    "cents": "5cents", "gross": "1%", "voicing": "99%", "cosine": ".99", "cosine_min": ".9",
    "offset": "1ms", CPU: "0.8",
}  # fmt: skip
"""A sensible bound of each, for messages."""


def example(name: str) -> str:
    """A condition with this measure, such as ``snr>=30dB``."""
    sign = ">=" if MEASURES[name].better == "high" else "<="
    return f"{name}{sign}{EXAMPLES[name]}"
