"""Level meters: root mean square and peak, the highest peak held a while, clipping."""

from __future__ import annotations

from voicegraph.schemas.live_status import EndReport

from ._bars import bar
from ._text_lines import Line, apart
from ._wording import one_line

_FLOOR_DB = -60.0
"""Left end of a meter; the right end is full scale."""
_WARM_DB = -18.0
_HOT_DB = -6.0
_HELD_S = 1.5
_FALL_DB_S = 20.0
"""How fast the held peak falls afterwards, in dB a second: as a programme meter's."""
_CLIP_S = 3.0
"""So long the clip indicator stays lit."""


class Hold:
    """What a meter remembers of one end.

    Attributes:
        peak_db: the highest peak, held and then falling.
        clipping: whether something was clipped a moment ago.
    """

    def __init__(self) -> None:
        self.peak_db = -120.0
        self.clipping = False
        self._since = self._last = 0.0
        self._clipped = 0
        self._lit_until = float("-inf")

    def take(self, seconds: float, end: EndReport) -> None:
        """The newest report, and when in the session it was made."""
        if seconds - self._since > _HELD_S:
            self.peak_db -= _FALL_DB_S * max(seconds - max(self._last, self._since + _HELD_S), 0)
        if end.peak_db >= self.peak_db:
            self.peak_db, self._since = end.peak_db, seconds
        if end.clipped > self._clipped:
            self._lit_until = seconds + _CLIP_S
        self._clipped, self._last = end.clipped, seconds
        self.clipping = seconds < self._lit_until


def meter(name: str, end: EndReport, hold: Hold, width: int) -> Line:
    """One end in one line of ``width`` columns."""
    head: Line = [(f" {name:<8}", "muted")]
    figures = f"  rms {end.rms_db:6.1f}  peak {end.peak_db:6.1f}  held {hold.peak_db:6.1f} dB "
    tail: Line = [
        (figures, ""),
        (f" clip {end.clipped:<4} ", "bold page on bad" if hold.clipping else _count(end.clipped)),
    ]
    room = max(width - len(head[0][0]) - sum(len(text) for text, _ in tail), 4)
    marked = _place(hold.peak_db) if hold.peak_db > _FLOOR_DB else None
    return [*head, *bar(room, _place(end.rms_db), _place(end.peak_db), _zone, marked), *tail]


def device(end: EndReport, width: int) -> Line:
    """Which device that is, and how often it lost audio."""
    kind = {1: "mono", 2: "stereo"}.get(end.channels, f"{end.channels} channels")
    text = f"         {one_line(end.device)}, {end.rate_hz} Hz {kind}"
    times = "time" if end.lost == 1 else "times"
    lost: Line = [(f"audio lost {end.lost} {times} ", "warn" if end.lost else "muted")]
    return apart([(text, "muted")], lost, width)


def _count(number: int) -> str:
    return "bad" if number else "muted"


def _place(db: float) -> float:
    return 1 - db / _FLOOR_DB


def _zone(place: float) -> str:
    db = _FLOOR_DB * (1 - place)
    return "good" if db < _WARM_DB else "warn" if db < _HOT_DB else "bad"
