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
        text: what it is.
        usual: a sensible bound, for messages.
        magnitude: the sign does not count: -6 dB are as far off as 6 dB.
    """

    name: str
    field: str
    better: Literal["high", "low"]
    kinds: tuple[str, ...]
    unit: str
    text: str
    usual: str
    magnitude: bool = False

    @property
    def share(self) -> bool:
        """Whether it is a ratio, which may be given in %."""
        return self.unit == ""

    @property
    def example(self) -> str:
        """A condition with this measure, such as ``snr>=30dB``."""
        return f"{self.name}{'>=' if self.better == 'high' else '<='}{self.usual}"


_MEASURES = (
    Measure("max", "max", "low", ALL, "", "largest difference, in the unit of the values", "1e-3"),
    Measure("rms", "rms", "low", ALL, "", "RMS difference", "1e-4"),
    Measure("rel", "rel", "low", (AUDIO, FEATURES, MASK), "", "RMS difference over RMS of A", "1%"),
    Measure(
        "snr", "snr_db", "high", (AUDIO, FEATURES, MASK), "dB", "signal-to-noise ratio", "30dB"
    ),
    Measure(
        "gain",
        "gain_db",
        "low",
        (AUDIO, FEATURES),
        "dB",
        "gain mismatch, either way",
        "0.5dB",
        True,
    ),
    Measure("lsd", "lsd_db", "low", (AUDIO,), "dB", "log-spectral distance", "1dB"),
    Measure(
        "cents", "cents", "low", (AUDIO, PITCH), "cents", "mean absolute F0 difference", "5cents"
    ),
    Measure("gross", "gross", "low", (AUDIO, PITCH), "", "share of F0 off by over 100 cents", "1%"),
    Measure("voicing", "voicing", "high", (AUDIO, PITCH), "", "voicing agreement", "99%"),
    Measure("cosine", "cosine", "high", (FEATURES,), "", "mean cosine of centred frames", ".99"),
    Measure(
        "cosine_min", "cosine_min", "high", (FEATURES,), "", "least cosine of centred frames", ".9"
    ),
    Measure("offset", "offset_ms", "low", ALL, "ms", "offset left by the latencies", "1ms", True),
    Measure("cpu", "cpu_ratio", "low", (), "", "CPU time of B over that of A", "0.8"),
)
MEASURES = {measure.name: measure for measure in _MEASURES}
"""By name, in the order of tables."""
