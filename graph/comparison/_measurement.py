"""Measures two matched signals at a port: what one clip gives, and what several give together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import soxr

from voicegraph.schemas.comparison_report import DifferenceReport, PlaceReport, PortComparison

from ..metrics.cross_correlation import FOUND, find_offset
from ..metrics.f0_contour import RATE, contour
from ..metrics.f0_error import f0_cents, gross_share
from ..metrics.feature_similarity import centred_cosine, variation
from ..metrics.sample_difference import DifferenceSums, bit_equal, difference_sums, local_rms
from ..metrics.spectral_distance import log_spectral_distance
from ..signals import SignalType
from ._series_match import MatchedSeries
from .measures import AUDIO, FEATURES, MASK, PITCH

_MOST_OFFSET_S = 0.1
_EXPLAINED = 0.5
_PLACE_S = 0.05
"""Length of the pieces of which the worst are named."""
_PLACES = 3
_ALIKE = 0.1
"""Variation of feature frames below which their cosine is said to tell little."""
_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured at one port: sums and values per frame, which add up over clips.

    Attributes:
        type: the signal type.
        sums: of all values.
        identical: bit by bit, before an offset is removed.
        offset_s: by which B is later; None if both do not correlate enough to tell.
        correlation: at that offset; NaN if one side is constant.
        lsd: log-spectral distance of frames in dB.
        cosine: of frames; NaN where one equals its mean.
        cents: F0 difference of the frames voiced in both.
        f0_frames: frames of F0.
        f0_agree: those of them that are voiced in both or in neither.
        variation: of the frames of A.
        worst: where they differ most.
        notes: what limits the meaning.
    """

    type: SignalType
    sums: DifferenceSums
    identical: bool
    offset_s: float | None = 0.0
    correlation: float = math.nan
    lsd: np.ndarray = field(default_factory=lambda: _NONE)
    cosine: np.ndarray = field(default_factory=lambda: _NONE)
    cents: np.ndarray = field(default_factory=lambda: _NONE)
    f0_frames: int = 0
    f0_agree: int = 0
    variation: float = math.nan
    worst: tuple[PlaceReport, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two signals after alignment, as they are measured and drawn.

    Attributes:
        times: seconds of the values of A, ``[T]``.
        reference: of A, ``[T, W]``.
        other: of B, ``[T, W]``.
        offset_s: removed offset; None if none could be told.
        correlation: at the offset; NaN if one side is constant.
    """

    times: np.ndarray
    reference: np.ndarray
    other: np.ndarray
    offset_s: float | None
    correlation: float


def align(pair: MatchedSeries, rate: float) -> Aligned:
    """Removes the offset that correlation finds, up to 100 ms either way.

    It is believed if it explains at least half of what both differ in: what their correlation lacks
    to 1 becomes half or less. Contours of which a few voicing decisions differ always correlate a
    little better somewhere else.
    """
    a, b, times = pair.reference, pair.other, pair.times
    if bit_equal(a, b):
        return Aligned(times, a, b, 0.0, 1.0)
    found = find_offset(a, b, round(_MOST_OFFSET_S * rate))
    if not found.correlation:
        return Aligned(times, a, b, None, math.nan)
    if abs(found.correlation) < FOUND:
        return Aligned(times, a, b, None, found.correlation)
    n = found.values if 1 - abs(found.correlation) <= _EXPLAINED * (1 - abs(found.at_zero)) else 0
    sure = found.correlation if n else found.at_zero
    one, two = (slice(max(0, -n), len(a) - max(0, n)), slice(max(0, n), len(b) - max(0, -n)))
    return Aligned(times[one], a[one], b[two], n / rate, sure)


def measure(
    kind: SignalType, pair: MatchedSeries, aligned: Aligned, clip: str, tracker: str
) -> Measurement:
    """Measures one port on one clip.

    Args:
        kind: the signal type of both.
        pair: matched in time.
        aligned: the same after alignment.
        clip: name of the clip.
        tracker: the F0 node for audio.
    """
    rate = float(kind.rate)
    made = Measurement(
        kind,
        difference_sums(aligned.reference, aligned.other),
        bit_equal(pair.reference, pair.other),
        aligned.offset_s,
        aligned.correlation,
        worst=tuple(_places(aligned, rate, clip)),
        notes=tuple(_time_notes(pair)),
    )
    if kind.kind == AUDIO:
        return _with_audio(made, aligned, rate, tracker)
    if kind.kind == FEATURES:
        if kind.width == 1:  # numbers, not vectors: their cosine is 1 or -1
            return made
        varied = variation(aligned.reference)
        cosine = centred_cosine(aligned.reference, aligned.other)
        return replace(made, cosine=cosine, variation=varied)
    if kind.kind == PITCH:
        return _with_f0(made, aligned.reference[:, 0], aligned.other[:, 0])
    return made


def _time_notes(pair: MatchedSeries) -> Iterator[str]:
    if pair.gap_s:
        yield f"values of A and B are up to {1000 * pair.gap_s:.3g} ms apart in time"


def _places(aligned: Aligned, rate: float, clip: str) -> Iterator[PlaceReport]:
    size = max(1, round(_PLACE_S * rate))
    local = local_rms(aligned.reference, aligned.other, size)
    for piece in np.argsort(-local, kind="stable")[:_PLACES]:
        if local[piece] > 0:
            second = round(float(aligned.times[piece * size]), 3)
            yield PlaceReport(file=clip, second=second, rms=float(local[piece]))


def _with_audio(made: Measurement, aligned: Aligned, rate: float, tracker: str) -> Measurement:
    channels = [
        log_spectral_distance(a, b, rate)
        for a, b in zip(aligned.reference.T, aligned.other.T, strict=True)
    ]
    made = replace(made, lsd=np.mean(channels, axis=0))
    one, two = (f0_of(x, rate, tracker) for x in (aligned.reference, aligned.other))
    return _with_f0(made, one, two)


def f0_of(sound: np.ndarray, rate: float, tracker: str) -> np.ndarray:
    """F0 of ``[samples, channels]`` every 10 ms, of the average of the channels."""
    return contour(soxr.resample(sound.mean(axis=1), rate, RATE, "HQ"), tracker)


def _with_f0(made: Measurement, one: np.ndarray, two: np.ndarray) -> Measurement:
    count = min(len(one), len(two))
    agree = int(((one[:count] > 0) == (two[:count] > 0)).sum())
    return replace(made, cents=f0_cents(one, two), f0_frames=count, f0_agree=agree)


def pooled(parts: Sequence[Measurement]) -> Measurement:
    """All clips together: sums and frames are joined, and the largest offset counts."""
    first = parts[0]
    known = [part.offset_s for part in parts if part.offset_s is not None]
    worst = sorted((p for part in parts for p in part.worst), key=lambda p: -p.rms)
    return Measurement(
        first.type,
        sum((part.sums for part in parts), DifferenceSums()),
        all(part.identical for part in parts),
        max(known, key=abs) if known else None,
        min((part.correlation for part in parts), key=lambda x: -2.0 if math.isnan(x) else abs(x)),
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("lsd", "cosine", "cents")),
        f0_frames=sum(part.f0_frames for part in parts),
        f0_agree=sum(part.f0_agree for part in parts),
        variation=min(part.variation for part in parts),
        worst=tuple(worst[:_PLACES]),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def report(port: str, found: Measurement) -> PortComparison:
    """The measurement as data."""
    values, unmeasured = values_of(found)
    notes = list(found.notes)
    if found.variation < _ALIKE and not found.identical:
        notes.append(
            f"the frames of A are nearly alike (they vary by {found.variation:.2g} of their size), "
            "so similarity of frames says little; weights that were not trained do this"
        )
    finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
    return PortComparison(
        port=port,
        type=str(found.type),
        values=found.sums.count,
        identical=found.identical,
        correlation=None if math.isnan(found.correlation) else found.correlation,
        measures=DifferenceReport(**finite),
        unmeasured=unmeasured,
        worst=list(found.worst),
        notes=notes,
    )


def values_of(found: Measurement) -> tuple[dict[str, float], dict[str, str]]:
    """Values by field, infinite and NaN included, and why some have none, by measure."""
    kind, sums = found.type.kind, found.sums
    values = {"max": sums.largest, "rms": sums.rms}
    why: dict[str, str] = {}
    if kind in (AUDIO, FEATURES, MASK):
        values |= {"rel": sums.relative, "snr_db": sums.snr_db}
        if not sums.reference:
            why |= dict.fromkeys(("rel", "snr"), "infinite: A is 0 throughout")
        elif not sums.difference:
            why["snr"] = "infinite: A and B are equal"
    if kind in (AUDIO, FEATURES):
        values["gain_db"] = sums.gain_db
        if not sums.reference or not sums.other:
            why["gain"] = f"infinite: {'B' if sums.reference else 'A'} is 0 throughout"
    if kind == AUDIO:
        values["lsd_db"] = float(found.lsd.mean())
    if kind in (AUDIO, PITCH):
        values["voicing"] = found.f0_agree / found.f0_frames if found.f0_frames else math.nan
        if len(found.cents):
            values |= {"cents": float(np.abs(found.cents).mean())}
            values |= {"gross": gross_share(found.cents)}
        else:
            why |= dict.fromkeys(("cents", "gross"), "no frame is voiced in both A and B")
    if kind == FEATURES and found.type.width != 1:
        known = found.cosine[~np.isnan(found.cosine)]
        if len(known):
            values |= {"cosine": float(known.mean()), "cosine_min": float(known.min())}
        else:
            why |= dict.fromkeys(("cosine", "cosine_min"), "frames equal their mean")
    if found.offset_s is None:
        why["offset"] = "A and B do not correlate enough to tell"
    else:
        values["offset_ms"] = 1000 * found.offset_s
    return values, why
