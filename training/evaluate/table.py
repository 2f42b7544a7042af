"""The table of an evaluation: means over all, male and female speakers, as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from voicegraph.experiments.results.markdown import markdown_table
from voicegraph.experiments.results.means import MeanRow, cell_means
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.results.sentences import number
from voicegraph.schemas.experiment_manifest import DependenceFacts, MetricFacts

_LEGEND = """\
Means over speakers; in brackets 95 % intervals (BCa bootstrap over speakers).

* word error rate: edit distance between the words of output and source, per word of the source; the
  same recognizer, Whisper tiny.en or Moonshine tiny, hears both. Texts are compared in lower case,
  without punctuation, with abbreviations and numbers as words. character error rate: the same by
  characters.
* phone error rate: edit distance between the phones of output and source, per phone of the source.
  Which recognizer taught which system is told under the tables.
* similarity to target, to source: cosine of Resemblyzer's speaker embeddings with the mean of
  held-out speech of the voice, and with the clip itself. The row `target` is that speech, each
  utterance compared with the others.
* DNSMOS: overall by P.835, and by P.808.
* F0 error: median without the constant transposition; gross F0 errors are frames above 100 cents.
* voicing agreement: share of frames that are voiced in both or in neither.
* F0 offset at the start: transposition of the first second of voiced speech minus that of the rest.
* level in pauses: mean power of the output in the pauses of the clean source, relative to that of
  the output in its speech. Pauses are unvoiced frames within 6 dB of the 5th percentile of the
  source's level, or 45 dB below its 95th, without 50 ms at either end. The same without the
  first half second, in which the noise estimate settles; the loudest 25 ms of all pauses.
"""


_MAIN = (
    *("words.wer", "words.wer_moonshine", "phones.hama", "phones.pocketsphinx"),
    *("likeness.target_resemblyzer", "quality.dnsmos", "f0.voicing", "f0.cents", "f0.start"),
    "pauses.level",
)
"""What the goals of the voices are told in."""


def page(run: Run) -> str:
    """The tables of a run of ``voices.yaml``."""
    sexes = {clip.name: clip.columns.get("sex", "") for clip in run.manifest.clips}
    values = [row for row in run.value_rows() if row.value is not None]
    means = cell_means(values)
    parts = [_LEGEND]
    if any(row.metric in _MAIN for row in means):
        parts += ["## Main figures", "", _means(run, means, _MAIN), ""]
    parts += ["## All speakers", "", _means(run, means), ""]
    for sex, title in (("M", "Male speakers"), ("F", "Female speakers")):
        chosen = [row for row in values if sexes.get(row.clip) == sex]
        if chosen:
            parts += [f"## {title}", "", _means(run, cell_means(chosen)), ""]
    parts += ["## Costs and latency", "", _costs(run), ""]
    parts += ["## Who judges, and who taught whom", "", *_judges(run), ""]
    return "\n".join(parts)


def _judges(run: Run) -> list[str]:
    """A line for each network that hears: its package, weights, and what it is no judge of."""
    lines = []
    for judge in run.manifest.observers:
        if not judge.learned_from:
            continue
        metrics = [m.name for m in run.manifest.metrics if judge.name in m.observers]
        packages = judge.package.split(", ") if judge.package else []
        versions = [f"{name} {run.manifest.packages.get(name, '')}".strip() for name in packages]
        name = ", ".join(versions) or "bundled"
        learned = "; ".join(what or origin for origin, what in judge.learned_from.items())
        lines.append(f"* {', '.join(metrics)}: {judge.name} ({name}): {learned}.")
        shared = [one for one in run.manifest.dependences if one.metric in metrics]
        lines += [
            f"  Not independent of {systems}: {why}."
            for why, systems in _by_reason(shared).items()
        ] or ["  Independent of every system here."]  # fmt: skip
        lines += [f"  `{path}` SHA-256 {digest}." for path, digest in judge.weights.items()]
    return lines


def _by_reason(shared: Sequence[DependenceFacts]) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for one in shared:
        found.setdefault(one.why, {})[one.system] = None
    return {why: ", ".join(systems) for why, systems in found.items()}


def _means(run: Run, means: Sequence[MeanRow], only: Collection[str] = ()) -> str:
    """A line for each cell, a column for each metric; of ``only`` these, if there are any."""
    found = {(row.cell, row.metric): row for row in means if not only or row.metric in only}
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
    measured = {row.cell for row in run.value_rows() if row.value is not None}
    figures: Mapping[str, dict[str, float]] = defaultdict(dict)
    for row in run.cost_rows():
        if row.cell not in measured:
            continue
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
