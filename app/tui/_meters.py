"""Level meters: rms and peak, a peak hold, and a clip indicator."""

from __future__ import annotations

from voicegraph.schemas.live_status import EndReport

from ._formatting import one_line
from ._text_lines import Line, bar, justify

_FLOOR_DB = -60.0
"""Left end of a meter; the right end is full scale."""
_WARN_DB = -18.0
_HOT_DB = -6.0
_HOLD_S = 1.5
_FALL_DB_S = 20.0
"""How fast the held peak falls after the hold time, in dB a second, as in programme meters."""
_CLIP_S = 3.0
"""How long the clip indicator stays lit."""


class PeakHold:
    """Peak hold and clip indicator of one meter.

    Attributes:
        peak_db: the highest peak; held for a while, then falling.
        clipping: whether samples clipped within the last seconds.
    """

    def __init__(self) -> None:
        self.peak_db = -120.0
        self.clipping = False
        self._since = self._last = 0.0
        self._clipped = 0
        self._lit_until = float("-inf")

    def update(self, seconds: float, end: EndReport) -> None:
        """Takes the newest report.

        Args:
            seconds: time of the report since the session began.
            end: levels of the input or the output.
        """
        if seconds - self._since > _HOLD_S:
            self.peak_db -= _FALL_DB_S * max(seconds - max(self._last, self._since + _HOLD_S), 0)
        if end.peak_db >= self.peak_db:
            self.peak_db, self._since = end.peak_db, seconds
        if end.clipped > self._clipped:
            self._lit_until = seconds + _CLIP_S
        self._clipped, self._last = end.clipped, seconds
        self.clipping = seconds < self._lit_until


def meter_line(name: str, end: EndReport, hold: PeakHold, width: int) -> Line:
    """The meter of the input or the output, ``width`` columns wide."""
    head: Line = [(f" {name:<8}", "muted")]
    figures = f"  rms {end.rms_db:6.1f}  peak {end.peak_db:6.1f}  hold {hold.peak_db:6.1f} dB "
    clipped_before = "bad" if end.clipped else "muted"
    tail: Line = [
        (figures, ""),
        (f" clip {end.clipped:<4} ", "bold page on bad" if hold.clipping else clipped_before),
    ]
    room = max(width - len(head[0][0]) - sum(len(text) for text, _ in tail), 4)
    marker = _position(hold.peak_db) if hold.peak_db > _FLOOR_DB else None
    levels = bar(room, _position(end.rms_db), _position(end.peak_db), _colour_at, marker)
    return [*head, *levels, *tail]


def device_line(end: EndReport, dropout: str, width: int) -> Line:
    """The device's name and format, and how often audio was lost there.

    Args:
        end: the input or the output.
        dropout: what a dropout is called there: ``overflow`` or ``underrun``.
        width: columns.
    """
    kind = {1: "mono", 2: "stereo"}.get(end.channels, f"{end.channels} channels")
    text = f"         {one_line(end.device)}, {end.rate_hz} Hz {kind}"
    plural = "" if end.lost == 1 else "s"
    lost: Line = [(f"{end.lost} buffer {dropout}{plural} ", "warn" if end.lost else "muted")]
    return justify([(text, "muted")], lost, width)


def _position(db: float) -> float:
    return 1 - db / _FLOOR_DB


def _colour_at(position: float) -> str:
    db = _FLOOR_DB * (1 - position)
    return "good" if db < _WARN_DB else "warn" if db < _HOT_DB else "bad"
