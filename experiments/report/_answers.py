"""The answer in words: each contrast one sentence with differences, intervals, p and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voicegraph.schemas.experiment_manifest import CellFacts, ContrastFacts, Manifest, MetricFacts
from voicegraph.schemas.experiment_tables import CostRow, TestRow

from ._numbers import interval, number, p_value, plural, with_unit
from ._summary import CPU_OF_A_BLOCK, cpu_figure

CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg", "none": "uncorrected"}
SIGNS = {
    "better": "▲",
    "worse": "▼",
    "equivalent": "≈",
    "different": "≠",
    "no difference shown": "?",
    "not tested": "∅",
}
"""A sign beside each verdict, so that colour alone says nothing."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What a sentence says about one metric."""

    metric: str
    name: str
    text: str
    verdict: str
    sign: str

    @property
    def style(self) -> str:
        """The verdict as a class of the style sheet."""
        return self.verdict.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A level against its baseline, at fixed other levels."""

    level: str
    baseline: str
    within: str
    clauses: Sequence[Clause]
    costs: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One entry of ``compare``."""

    vary: str
    baseline: str
    lead: str
    sentences: Sequence[Sentence]


def answers(
    manifest: Manifest, tests: Sequence[TestRow], costs: Sequence[CostRow]
) -> Sequence[Answer]:
    """All contrasts in words, in the order of the file."""
    metrics = {metric.name: metric for metric in manifest.metrics}
    for row in tests:  # tests that were added later, and costs, need not be in the manifest
        metrics.setdefault(row.metric, MetricFacts(name=row.metric, title=row.metric))
    made = []
    for contrast in _contrasts(manifest, tests):
        rows = [r for r in tests if (r.vary, r.baseline) == (contrast.vary, contrast.baseline)]
        groups: dict[tuple[str, str], list[TestRow]] = {}
        for row in rows:
            groups.setdefault((row.level, row.within), []).append(row)
        sentences = [
            Sentence(
                level,
                contrast.baseline,
                within,
                _clauses(group, metrics, contrast),
                _costs(manifest, contrast, level, within, costs),
            )
            for (level, within), group in groups.items()
        ]
        lead = _lead([row for row in rows if not _is_cost(row)], contrast)
        made.append(Answer(contrast.vary, contrast.baseline, lead, sentences))
    return made


def _clauses(
    rows: Sequence[TestRow], metrics: Mapping[str, MetricFacts], contrast: ContrastFacts
) -> Sequence[Clause]:
    """What was shown comes first."""
    found = [_clause(row, metrics[row.metric], contrast) for row in rows if not _is_cost(row)]
    order = [*SIGNS, ""]
    return sorted(found, key=lambda clause: order.index(clause.verdict))


def _is_cost(row: TestRow) -> bool:
    """Whether the row is about computing time or latency, which the end of a sentence tells."""
    return row.metric.startswith(("cost.", "latency."))


def _contrasts(manifest: Manifest, tests: Sequence[TestRow]) -> Sequence[ContrastFacts]:
    """The entries of ``compare``, and those of tests that were added later."""
    known = {(c.vary, c.baseline) for c in manifest.contrasts}
    found = list(manifest.contrasts)
    for row in tests:
        if (row.vary, row.baseline) not in known:
            known.add((row.vary, row.baseline))
            found.append(ContrastFacts(vary=row.vary, baseline=row.baseline, within=(), metrics={}))
    return found


def _lead(rows: Sequence[TestRow], contrast: ContrastFacts) -> str:
    """How many tests show what."""
    tested = [row for row in rows if row.verdict != "not tested"]
    if not tested:
        reasons = Counter(row.why for row in rows if row.why)
        why = "; ".join(reason for reason, _ in reasons.most_common(3))
        return f"Nothing was tested: {why}." if why else "Nothing was tested."
    counts = Counter(row.verdict for row in tested)
    parts = [f"{counts[verdict]} {verdict}" for verdict in SIGNS if counts[verdict]]
    correction = CORRECTIONS[contrast.correct]
    after = "without correction" if contrast.correct == "none" else f"after {correction} correction"
    untested = len(rows) - len(tested)
    more = f" {plural(untested, 'pair')} could not be tested." if untested else ""
    reasons = Counter(row.why for row in tested if row.why)
    more += "".join(f" {_as_sentence(reason)}" for reason, _ in reasons.most_common(3))
    return f"{plural(len(tested), 'test')}, {after}: {', '.join(parts)}.{more}"


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _clause(row: TestRow, metric: MetricFacts, contrast: ContrastFacts) -> Clause:
    sign = SIGNS.get(row.verdict, "")
    if row.difference is None:
        return Clause(metric.title, metric.name, f"not tested: {row.why}", row.verdict, sign)
    digits = metric.digits
    parts = [with_unit(number(row.difference, digits, signed=True), metric.unit)]
    if bounds := interval(row.low, row.high, digits, signed=True):
        parts[0] += f" {bounds}"
    corrected = row.p_corrected if row.p_corrected is not None else row.p
    if corrected is not None:
        label = "" if contrast.correct == "none" else CORRECTIONS[contrast.correct] + " "
        parts.append(label + p_value(corrected))
    if row.margin is not None:
        held = "within" if row.equivalent else "not shown to be within"
        by = "" if row.p_equivalence is None else f" (TOST {p_value(row.p_equivalence)})"
        parts.append(f"{held} ±{number(row.margin, digits)}{by}")
    elif row.verdict == "no difference shown" and row.detectable is not None:
        least = with_unit(number(row.detectable, digits), metric.unit)
        parts.append(f"{row.n} speakers would show {least} or more")
    if row.verdict == "not tested" and row.why:
        parts.append(f"not tested: {row.why}")
    return Clause(metric.title, metric.name, ", ".join(parts), row.verdict, sign)


def _costs(
    manifest: Manifest,
    contrast: ContrastFacts,
    level: str,
    within: str,
    costs: Sequence[CostRow],
) -> str:
    """What the swap costs: computing time of a block, and latency."""
    pairs = _pairs(manifest.cells, contrast, level, within)
    parts = [_cpu(manifest, costs, pairs), _latency(manifest, pairs)]
    return "; ".join(part for part in parts if part)


def _pairs(
    cells: Iterable[CellFacts], contrast: ContrastFacts, level: str, within: str
) -> Sequence[tuple[CellFacts, CellFacts]]:
    """Cells of the level and of the baseline that differ in nothing else."""
    sides: dict[str, dict[object, CellFacts]] = {level: {}, contrast.baseline: {}}
    for cell in cells:
        side = sides.get(cell.levels.get(contrast.vary, ""))
        if side is not None and cell.excluded is None and _fixed(cell, contrast) == within:
            others = {k: v for k, v in cell.levels.items() if k != contrast.vary}
            side[cell.target, tuple(sorted(others.items()))] = cell
    first, second = sides[level], sides[contrast.baseline]
    return [(cell, second[key]) for key, cell in first.items() if key in second]


def _fixed(cell: CellFacts, contrast: ContrastFacts) -> str:
    return ", ".join(
        f"{name}={cell.levels[name]}" for name in contrast.within if name in cell.levels
    )


def _cpu(
    manifest: Manifest,
    costs: Sequence[CostRow],
    pairs: Sequence[tuple[CellFacts, CellFacts]],
) -> str:
    figure = cpu_figure(manifest, (cell for pair in pairs for cell in pair))
    names = {(ours.name, theirs.name) for ours, theirs in pairs}
    rows = [
        row
        for row in costs
        if row.name == figure.name
        and (row.cell, row.against) in names
        and row.difference is not None
    ]
    if not rows:
        return ""
    differences = [row.difference for row in rows if row.difference is not None]
    mean = sum(differences) / len(differences)
    of = "ms a block" if figure is CPU_OF_A_BLOCK else "of a core"
    text = f"CPU {number(mean, figure.digits, signed=True)} {of}"
    if len(rows) == 1:
        ends = rows[0].difference_low, rows[0].difference_high
        bounds = interval(*ends, figure.digits, signed=True)
        return f"{text} {bounds}".rstrip()
    return f"{text} (mean of {len(rows)} pairs)"


def _latency(manifest: Manifest, pairs: Sequence[tuple[CellFacts, CellFacts]]) -> str:
    sides = zip(*pairs, strict=True)
    found = [{latency_ms(manifest, cell) for cell in side} for side in sides]
    if len(found) != 2 or any(len(side) != 1 or None in side for side in found):
        return ""
    ours, theirs = (side.pop() or 0.0 for side in found)
    if abs(ours - theirs) < 0.05:
        return f"latency unchanged at {number(ours, 0)} ms"
    return f"latency {number(ours - theirs, 0, signed=True)} ms, to {number(ours, 0)} ms"


def latency_ms(manifest: Manifest, cell: CellFacts) -> float | None:
    """Algorithmic and buffering latency of a cell's plan in ms, or what a program states."""
    if cell.stated_latency_ms is not None:
        return cell.stated_latency_ms
    plan = manifest.plans.get(cell.plan or "")
    return None if plan is None else plan.algorithmic_ms + plan.buffering_ms
