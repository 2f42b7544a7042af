"""The metrics as a Markdown table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from ._bootstrap import Mean
from ._metrics import METRICS, Metric
from ._summary import Summary

_NONE = "-"
_LEGEND = """\
Means over speakers; in brackets the interval of 95 % of the means of speakers drawn with
replacement.

* phone error: edit distance between the phones of output and source, per phone of the source.
  Phones are recognized by hama, from which the voices' encoder was distilled: not independent.
* allphone: the same by PocketSphinx, which is independent, and weak.
* like target, like source: cosine of Resemblyzer's speaker embeddings with the mean of held-out
  speech of the voice (held-out utterances: with the mean of the others) and with the clip itself.
* DNSMOS: overall; P.808 beside it.
* F0 error: median without the constant transposition, and share of frames above 100 cents.
* voicing: share of frames that are voiced in both or in neither.
* start: transposition of the first second of voiced speech minus that of the rest.
* pauses: mean power in the source's pauses relative to that in speech; the same without the first
  half second, in which the noise estimate settles; bursts: the loudest 25 ms of all pauses.
* ms a block, x real time: one core without other work. Latency: algorithmic + buffering.
"""


def markdown(
    summaries: Sequence[Summary], against: str, about: Sequence[str], seconds: float
) -> str:
    """The whole page."""
    sexes = [(None, "All speakers"), ("M", "Male speakers"), ("F", "Female speakers")]
    parts = ["\n\n".join(about), "", _LEGEND]
    for sex, title in sexes:
        parts += [f"## {title}", "", *_means(summaries, sex, costs=sex is None), ""]
    parts += [f"## Differences from `{against}` of the same voice", ""]
    parts += ["Clip by clip; bold if the interval does not contain 0.", ""]
    parts += [*_differences(summaries, against), ""]
    parts += [f"{seconds:.0f} s of speech a row.", ""]
    return "\n".join(parts)


def _means(summaries: Sequence[Summary], sex: str | None, costs: bool) -> list[str]:
    titles = ["row", *(metric.title for metric in METRICS)]
    goals = ["*goal, live*", *(metric.goal for metric in METRICS)]
    if costs:
        titles += ["ms a block", "x real time", "latency, ms"]
        goals += ["", "at most 0.3 at 100 ms", ""]
    made = [_line(titles), _line(["---"] * len(titles)), _line(goals)]
    for summary in summaries:
        if sex is not None and summary.row.kind == "target":
            continue
        cells = [interval(summary.mean(metric.name, sex), metric) for metric in METRICS]
        made.append(_line([summary.row.label, *cells, *(_costs(summary) if costs else [])]))
    return made


def _costs(summary: Summary) -> list[str]:
    cost, latency = summary.cost, summary.latency_ms
    late = _NONE if latency is None else f"{latency[0]:.0f} + {latency[1]:.0f}"
    if cost is None:
        return [_NONE, _NONE, late]
    spent = f"{cost.undisturbed_ms:.1f} of {cost.block_ms:g}"
    return [spent, f"{cost.real_time_factor:.2f}", late]


def _differences(summaries: Sequence[Summary], against: str) -> list[str]:
    references = {s.row.voice: s for s in summaries if s.row.condition == against}
    titles = ["row", *(metric.title for metric in METRICS)]
    made = [_line(titles), _line(["---"] * len(titles))]
    for summary in summaries:
        reference = references.get(summary.row.voice)
        if reference is None or summary is reference or summary.row.kind == "target":
            continue
        cells = []
        for metric in METRICS:
            found = summary.against(reference, metric.name)
            text = _NONE if found is None else interval(found, metric, signed=True)
            cells.append(f"**{text}**" if found is not None and found.significant else text)
        made.append(_line([summary.row.label, *cells]))
    return made


def interval(found: Mean, metric: Metric, signed: bool = False) -> str:
    """Mean and interval, such as ``0.131 [0.112, 0.152]``."""
    if math.isnan(found.value):
        return _NONE
    sign = "+" if signed else ""
    value, low, high = (
        f"{number:{sign}.{metric.digits}f}" for number in (found.value, found.low, found.high)
    )
    return f"{value} [{low}, {high}]"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def results(summaries: Sequence[Summary], against: str) -> str:
    """JSON with the settings, the means and the clips of each row; null is not measured."""
    references = {s.row.voice: s for s in summaries if s.row.condition == against}
    rows = [_row(summary, references.get(summary.row.voice)) for summary in summaries]
    return json.dumps({"against": against, "rows": rows}, indent=1)


def _row(summary: Summary, reference: Summary | None) -> dict[str, Any]:
    row, cost = summary.row, summary.cost
    found: dict[str, Any] = {
        "row": row.label,
        "name": row.name,
        "voice": row.voice.name,
        "kind": row.kind,
        "pipeline": row.pipeline or None,
        "set": dict(row.overrides),
        "snr_db": row.snr_db,
        "latency_ms": summary.latency_ms,
        "cost": None
        if cost is None
        else {
            "block_ms": cost.block_ms,
            "undisturbed_ms": cost.undisturbed_ms,
            "median_ms": cost.median_ms,
            "p99_ms": cost.p99_ms,
            "real_time_factor": cost.real_time_factor,
            "cpu": cost.cpu,
        },
        "means": {
            metric.name: {sex or "all": _mean(summary.mean(metric.name, sex)) for sex in "MF"}
            | {"all": _mean(summary.mean(metric.name))}
            for metric in METRICS
        },
        "clips": {
            name: {metric: _number(values[number]) for metric, values in summary.values.items()}
            for number, name in enumerate(summary.names)
        },
    }
    if reference is not None and reference is not summary:
        differences = {m.name: summary.against(reference, m.name) for m in METRICS}
        found["differences"] = {k: _mean(d) for k, d in differences.items() if d is not None}
    return found


def _mean(found: Mean) -> dict[str, float | int | None]:
    low, high = _number(found.low), _number(found.high)
    return {"mean": _number(found.value), "low": low, "high": high, "count": found.count}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
