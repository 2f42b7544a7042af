"""``summary.md``: what a run found, as text that reads well in a terminal, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from voicegraph.schemas.experiment_manifest import FailureFacts, Manifest, MetricFacts
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow

from .markdown import markdown_table, one_line
from .means import MeanRow
from .sentences import number, sentence
from .test_table import tests_text

_MOST_FAILURES = 20
_COSTS = ("cpu_ms", "p99_ms", "rtf", "memory_mb", "algorithmic_ms", "total_ms")


def summary(
    manifest: Manifest,
    cells: Sequence[CellRow],
    means: Sequence[MeanRow],
    costs: Sequence[CostRow],
    tests: Sequence[TestRow],
    failures: Sequence[FailureFacts],
) -> str:
    """The text, in Markdown."""
    metrics = {metric.name: metric for metric in manifest.metrics}
    parts = [
        f"# {one_line(manifest.title or manifest.name)}\n",
        one_line(manifest.description),
        _state(manifest, cells),
        _answers(manifest, tests, metrics),
        _means(manifest, means, metrics),
        _costs(manifest, costs),
        _tests(tests, metrics),
        _failures(failures),
        _notes(manifest),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts if part.strip())


def _state(manifest: Manifest, cells: Sequence[CellRow]) -> str:
    counted = Counter(row.status for row in cells)
    speakers = len({clip.speaker for clip in manifest.clips})
    clips = len(manifest.clips)
    lines = [
        f"{len(manifest.cells)} cells, {clips} clips of {speakers} "
        f"{'speaker' if speakers == 1 else 'speakers'}, {len(manifest.seeds)} "
        f"{'seed' if len(manifest.seeds) == 1 else 'seeds'}: "
        + ", ".join(
            f"{count} {status}"
            for status in ("done", "failed", "missing", "excluded")
            if (count := counted[status])
        )
        + "."
    ]
    if counted["missing"]:
        lines.append("This run is not complete; the same command computes what is missing.")
    lines += [
        f"* {one_line(row.cell)}: left out, {one_line(row.code)}"
        for row in cells
        if row.status == "excluded"
    ]
    return "\n".join(lines)


def _answers(
    manifest: Manifest, tests: Sequence[TestRow], metrics: Mapping[str, MetricFacts]
) -> str:
    if not tests:
        return ""
    lines = ["## Answers\n"]
    if manifest.statistics_refused:
        lines.append(f"{manifest.statistics_refused}.\n  fix: {manifest.statistics_fix}\n")
    correct = {one.vary: one.correct for one in manifest.contrasts}
    tested = [test for test in tests if test.verdict != "not tested"]
    lines += [
        f"* {one_line(sentence(test, metrics, correct.get(test.vary, 'holm')))}" for test in tested
    ]
    left = Counter(test.why for test in tests if test.verdict == "not tested")
    lines += [
        f"* not tested: {count} {'difference' if count == 1 else 'differences'}: {one_line(why)}"
        for why, count in left.items()
        if why != manifest.statistics_refused
    ]
    return "\n".join(lines)


def _means(manifest: Manifest, means: Sequence[MeanRow], metrics: Mapping[str, MetricFacts]) -> str:
    if not means:
        return ""
    found = {(row.cell, row.metric): row for row in means}
    names = [name for name in metrics if any(row.metric == name for row in means)]
    head = ["cell", *(_heading(metrics[name]) for name in names)]
    cells = [cell.name for cell in manifest.cells if cell.excluded is None]
    rows = [
        [cell, *(_mean(found.get((cell, name)), metrics[name].digits) for name in names)]
        for cell in cells
    ]
    note = "Means over speakers, with 95 % BCa bootstrap intervals."
    goals = [f"{one.name} {one.goal}" for one in metrics.values() if one.goal]
    if goals:
        note += f" Goals: {', '.join(goals)}."
    return f"## Means\n\n{markdown_table(head, rows)}\n\n{note}"


def _heading(metric: MetricFacts) -> str:
    unit = f" ({metric.unit})" if metric.unit else ""
    arrow = {"higher": " ^", "lower": " v", None: ""}[metric.better]
    return f"{metric.name}{unit}{arrow}"


def _mean(row: MeanRow | None, digits: int) -> str:
    if row is None or row.mean is None:
        return "-"
    text = number(row.mean, digits)
    if row.low is not None and row.high is not None:
        text += f" [{number(row.low, digits)}, {number(row.high, digits)}]"
    return text


def _costs(manifest: Manifest, costs: Sequence[CostRow]) -> str:
    names = [name for name in _COSTS if any(row.name == name for row in costs)]
    if not names:
        return ""
    found: dict[tuple[str, str], CostRow] = {}
    for row in costs:
        found.setdefault((row.cell, row.name), row)
    known = {cell for cell, _ in found}
    cells = [cell.name for cell in manifest.cells if cell.name in known]
    rows = [
        [cell, *(number(found[cell, name].value if (cell, name) in found else None, 2)
                 for name in names)]
        for cell in cells
    ]  # fmt: skip
    machines = sorted({row.machine for row in costs if row.machine})
    note = f"\n\nMilliseconds are of a block. Measured on {', '.join(machines)}." * bool(machines)
    return f"## Costs and latency\n\n{markdown_table(['cell', *names], rows)}{note}"


def _tests(tests: Sequence[TestRow], metrics: Mapping[str, MetricFacts]) -> str:
    return f"## Tests\n\n{tests_text(tests, metrics)}" if tests else ""


def _failures(failures: Sequence[FailureFacts]) -> str:
    if not failures:
        return ""
    lines = [f"## Failures ({len(failures)})\n"]
    for one in failures[:_MOST_FAILURES]:
        where = f"{one.cell}: {one.clip}" if one.clip else one.cell
        at = f", node {one.node}" if one.node else ""
        second = f", second {one.second:.2f}" if one.second is not None else ""
        lines.append(one_line(f"* {where}{at}{second}: {one.code}: {one.message}"))
        lines += [one_line(f"  fix: {one.fix}")] if one.fix else []
    if len(failures) > _MOST_FAILURES:
        lines.append(f"* {len(failures) - _MOST_FAILURES} more, in failures.jsonl")
    return "\n".join(lines)


def _notes(manifest: Manifest) -> str:
    return "\n".join(
        ["## What to know\n", *(f"* {one_line(line)}" for line in _note_lines(manifest))]
    )


def _note_lines(manifest: Manifest) -> Iterator[str]:
    for one in manifest.side_effects:
        yield (
            f"{one.factor}={one.level} also changes {one.what}: "
            f"{one.before} -> {one.after} (against {one.baseline})"
        )
    for one in manifest.dependences:
        yield f"{one.metric} is not independent of {one.system}: {one.why}"
    yield from manifest.warnings
    yield from manifest.not_measured
    if not any(metric.name.startswith("listeners.") for metric in manifest.metrics):
        yield "Nobody listened: no number here is a rating by people."
    dirty = ", with changes" if manifest.dirty else ""
    source = f", commit {manifest.commit}{dirty}" if manifest.commit else ""
    yield f"voicegraph {manifest.voicegraph}{source}; experiment {manifest.hash[:16]}"
