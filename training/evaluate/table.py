"""The table of an evaluation: means over all, male and female speakers, as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from voicegraph.experiments.results.markdown import markdown_table
from voicegraph.experiments.results.means import MeanRow, cell_means
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.results.sentences import number
from voicegraph.schemas.experiment_manifest import MetricFacts

_LEGEND = """\
Means over speakers; in brackets 95 % intervals (BCa bootstrap over speakers).

* phone error rate: edit distance between the phones of output and source, per phone of the source.
  hama taught the voices' encoder: not independent. PocketSphinx is independent, and weak.
* similarity to target, to source: cosine of Resemblyzer's speaker embeddings with the mean of
  held-out speech of the voice, and with the clip itself. The row `target` is that speech, each
  utterance compared with the others.
* DNSMOS: overall by P.835, and by P.808.
* F0 error: median without the constant transposition; gross F0 errors are frames above 100 cents.
* voicing agreement: share of frames that are voiced in both or in neither.
* F0 offset at the start: transposition of the first second of voiced speech minus that of the rest.
* level in pauses: mean power in the source's pauses relative to that in speech; the same without
  the first half second, in which the noise estimate settles; the loudest 25 ms of all pauses.
"""


def page(run: Run) -> str:
    """The tables of a run of ``voices.yaml``."""
    sexes = {clip.name: clip.columns.get("sex", "") for clip in run.manifest.clips}
    values = run.value_rows()
    parts = [_LEGEND, "## All speakers", "", _means(run, cell_means(values)), ""]
    for sex, title in (("M", "Male speakers"), ("F", "Female speakers")):
        chosen = [row for row in values if sexes.get(row.clip) == sex]
        if chosen:
            parts += [f"## {title}", "", _means(run, cell_means(chosen)), ""]
    parts += ["## Costs and latency", "", _costs(run), ""]
    return "\n".join(parts)


def _means(run: Run, means: Sequence[MeanRow]) -> str:
    found = {(row.cell, row.metric): row for row in means}
    measured = {metric for _, metric in found}
    shown = [metric for metric in run.manifest.metrics if metric.name in measured]
    cells = [cell.name for cell in run.manifest.cells if not cell.excluded]
    rows = [
        [name, *(_mean(found.get((name, metric.name)), metric) for metric in shown)]
        for name in cells
        if any((name, metric.name) in found for metric in shown)
    ]
    return markdown_table(["row", *map(_title, shown)], rows)


def _title(metric: MetricFacts) -> str:
    unit = f", {metric.unit}" if metric.unit and metric.unit != "cosine" else ""
    goal = f" ({metric.goal})" if metric.goal else ""
    return f"{metric.title}{unit}{goal}"


def _mean(row: MeanRow | None, metric: MetricFacts) -> str:
    if row is None or row.mean is None:
        return "-"
    text = number(row.mean, metric.digits)
    if row.low is None or row.high is None:
        return text
    return f"{text} [{number(row.low, metric.digits)}, {number(row.high, metric.digits)}]"


def _costs(run: Run) -> str:
    figures: Mapping[str, dict[str, float]] = defaultdict(dict)
    for row in run.cost_rows():
        figures[row.cell].setdefault(row.name, row.value)
    columns = ("cpu_ms", "cpu_rtf", "algorithmic_ms", "buffering_ms")
    head = ["row", "CPU ms a block", "share of a core", "algorithmic, ms", "buffering, ms"]
    return markdown_table(
        head,
        [
            [cell, *(number(one.get(name), 2 if "rtf" in name else 1) for name in columns)]
            for cell, one in figures.items()
        ],
    )
