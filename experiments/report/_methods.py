"""Methods as a paragraph, what was not measured, and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from voicegraph.schemas.experiment_manifest import Manifest
from voicegraph.schemas.experiment_tables import CostRow, TestRow

from ._citations import METHODS, Citation, measured_with
from ._numbers import plural

_TESTS = {
    "permutation": "a sign-flip permutation test, two-sided",
    "wilcoxon": "Wilcoxon's signed-rank test, two-sided",
    "bootstrap": "a bootstrap test, two-sided",
}
_CORRECTIONS = {
    "holm": "Holm's correction",
    "bh": "Benjamini and Hochberg's correction",
    "none": "no correction",
}


def methods(
    manifest: Manifest, tests: Sequence[TestRow], costs: Sequence[CostRow]
) -> Sequence[str]:
    """Sentences of the methods paragraph, made of what was in fact done."""
    speakers = len({clip.speaker for clip in manifest.clips})
    systems = [cell for cell in manifest.cells if cell.excluded is None]
    sentences = [
        f"{plural(len(manifest.clips), 'clip')} by {plural(speakers, 'speaker')} went through "
        f"{plural(len(systems), 'cell')} of the design"
        + (
            f" with {plural(len(manifest.seeds), 'seed')} of noise and pipeline."
            if manifest.seeds
            else "."
        )
    ]
    sentences += _of_metrics(manifest)
    sentences.append("Clips and seeds are averaged within a speaker, then speakers.")
    if manifest.statistics_refused is None:
        sentences += _of_statistics(manifest, tests)
    if any(row.name == "cpu_ms" for row in costs):
        sentences.append(
            "Computing time is that of one thread, by block, measured in turns with the baseline "
            "in one process; latency is read off the compiled plan."
        )
    sentences.append(f"Computed with voicegraph {manifest.voicegraph}.")
    return sentences


def _of_metrics(manifest: Manifest) -> Sequence[str]:
    named = {observer.name: observer for observer in manifest.observers}
    found = []
    for metric in manifest.metrics:
        packages = dict.fromkeys(
            observer.package
            for name in metric.observers
            if (observer := named.get(name)) is not None and observer.package
        )
        versions = [f"{name} {manifest.packages.get(name, '')}".strip() for name in packages]
        by = f" ({', '.join(versions)})"
        text = metric.text.rstrip(".") or "as its plug-in defines it"
        title = metric.title[:1].upper() + metric.title[1:]
        found.append(f"{title}{by if packages else ''}: {text}.")
    return found


def _of_statistics(manifest: Manifest, tests: Sequence[TestRow]) -> Sequence[str]:
    found = [
        "The unit is the speaker.",
        "Intervals are 95 % BCa bootstrap intervals over speakers, 10,000 draws, seeded.",
    ]
    for contrast in manifest.contrasts:
        text = (
            f"Levels of {contrast.vary} were compared with {contrast.baseline}, paired by speaker, "
            f"by {_TESTS[contrast.test]}, with {_CORRECTIONS[contrast.correct]} within this family."
        )
        if contrast.within:
            text += f" Held fixed: {' and '.join(contrast.within)}."
        found.append(text)
    if any(row.margin is not None for row in tests):
        found.append("Equivalence was tested by two one-sided tests against declared margins.")
    if any(row.metric.startswith("listeners.") for row in tests):
        found.append("Ratings have listeners and speakers as two crossed random units (min F').")
    return found


def citations(manifest: Manifest, tests: Sequence[TestRow]) -> Sequence[Citation]:
    """Sources of what was done: statistics where there were any, metrics and observers."""
    wanted: dict[str, None] = {}
    if manifest.statistics_refused is None:
        wanted["bca"] = None
        for contrast in manifest.contrasts:
            wanted |= dict.fromkeys((contrast.test, contrast.correct))
        if any(row.margin is not None for row in tests):
            wanted["tost"] = None
        if any(row.metric.startswith("listeners.") for row in tests):
            wanted["crossed"] = None
    return [*(METHODS[key] for key in wanted if key in METHODS), *measured_with(manifest)]


def not_measured(
    manifest: Manifest,
    costs: Sequence[CostRow],
    missing: Mapping[tuple[str, str], Mapping[str, int]],
) -> Sequence[str]:
    """What a reader may expect and nobody measured."""
    found = []
    if not any(metric.name.startswith("listeners.") for metric in manifest.metrics):
        found.append(
            "Nobody listened: every figure is computed. `voicegraph experiment listen` writes a "
            "listening test of this run and reads its ratings back."
        )
    if not any(row.name == "cpu_ms" for row in costs):
        found.append("Computing time was not measured (metric `cost`).")
    found.append(
        "Latency is that of the plan. Sound cards and their buffers add to it "
        "(`voicegraph latency` measures those)."
    )
    found += manifest.not_measured
    grouped: dict[tuple[str, str], list[int]] = {}
    for (_, metric), reasons in sorted(missing.items()):
        for reason, count in reasons.items():
            grouped.setdefault((metric, reason), []).append(count)
    for (metric, reason), counts in grouped.items():
        values = f"{plural(sum(counts), 'value')} missing in {plural(len(counts), 'cell')}"
        found.append(f"{metric}: {values}, since {reason}.")
    return found


def run_again(manifest: Manifest) -> str:
    """The commands that give these figures again."""
    typed = shlex.join(manifest.command) or f"voicegraph experiment run {manifest.name}.yaml"
    lines = []
    if manifest.voicegraph:
        lines.append(f"pip install voicegraph[experiment]=={manifest.voicegraph}")
    if manifest.commit:
        dirty = f"  # with changes, SHA-256 {manifest.dirty}" if manifest.dirty else ""
        lines.append(f"git checkout {manifest.commit}{dirty}")
    return "\n".join([*lines, typed])
