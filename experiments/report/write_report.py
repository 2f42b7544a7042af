"""Writes the page of a finished run.

Everything that it shows is read from the run's folder: tables, manifest, failures, sounds. It
computes nothing but means with intervals, pictures, and the encoding of sounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.experiment_manifest import (
    CellFacts,
    DependenceFacts,
    FailureFacts,
    Manifest,
    MetricFacts,
)
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

from ..results.chosen import drawn_clips, worst_values
from ..results.means import MeanRow
from ..store import Store
from ._answers import answers, latency_ms
from ._cost_figures import CostTables, cost_figures
from ._dot_plot import MOST_ROWS, dot_plot
from ._heat_map import heat_maps
from ._media import Media, Sounds, WantedSounds
from ._methods import citations, methods, not_measured, run_again
from ._numbers import NONE, interval, number, plural
from ._pareto import legend
from ._players import Worst, clip_players, worst_clips
from ._summary import (
    Missing,
    SpeakerMeans,
    costs_by_cell,
    cpu_figure,
    meets_goal,
    missing_values,
    primary_metrics,
    speaker_means,
)
from .html_page import BASE, SWITCHING, html_page
from .reported_run import ReportedRun

SECTIONS = (
    ("answer", "Answer"),
    ("table", "Table"),
    ("side-effects", "Side effects"),
    ("dependences", "Dependences"),
    ("pareto", "Quality against cost"),
    ("speakers", "By speaker"),
    ("factors", "Factors"),
    ("listen", "Listen"),
    ("worst", "Worst clips"),
    ("failures", "Failures"),
    ("methods", "Methods"),
    ("provenance", "Provenance"),
    ("not-measured", "Not measured"),
    ("again", "Run it again"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Attributes:
        path: the file.
        size: in bytes.
        sounds: how many can be heard.
        notes: what a reader of the command's output should know, such as sounds that are gone.
    """

    path: Path
    size: int
    sounds: int
    notes: Sequence[str]


def write_report(run: ReportedRun, path: Path, *, force: bool = True) -> Report:
    """Writes the page.

    Args:
        run: the run.
        path: the file, ``.html``.
        force: replace an existing file.

    Raises:
        OutputError: if the file cannot be written.
    """
    tables = _Tables.of(run)
    media = Media(run.sound, run.manifest.page.format, _store_of_sounds(run))
    with media.encoding_ahead(wanted_sounds(run)):
        players, worst = _heard(run.manifest, tables.cells, tables.values, media)
    context = {
        **_head(tables),
        **_figures(tables),
        **_sounds(tables.manifest, media, players),
        **_ending(tables),
        "worst": worst,
    }
    data = {"sounds": media.items, "players": players}
    package = __package__ or ""
    styles = [BASE, (package, "report.css")]
    scripts = [SWITCHING, (package, "player.js")]
    text = html_page((package, "report.html"), styles, scripts, context, data)
    write_text(path, text, force=force)
    return Report(path, len(text.encode()), len(media.items), _notes(media))


def wanted_sounds(run: ReportedRun) -> Sequence[str]:
    """Keys of the sounds that a page of a run plays, each once, the most important first."""
    wanted = WantedSounds()
    _heard(run.manifest, run.cell_rows(), run.value_rows(), wanted)
    return list(dict.fromkeys(key for key in wanted.keys if key))


def _store_of_sounds(run: ReportedRun) -> Store | None:
    """Where encoded sounds are kept: with the run's results, or in its folder if these are gone."""
    results = run.folder / run.manifest.store
    if results.is_dir():
        return Store(results.absolute())
    return Store(run.folder / "audio" / "page") if run.folder.is_dir() else None


def _heard(
    manifest: Manifest, rows: Sequence[CellRow], values: Sequence[ValueRow], media: Sounds
) -> tuple[dict[str, list[Any]], Sequence[tuple[MetricFacts, Sequence[Worst]]]]:
    """Players, and the worst clips of each metric.

    Room is limited: the first clip and the worst clips come before further clips.
    """
    cells = {(row.cell, row.clip, row.seed): row for row in rows}
    first, *further = [*drawn_clips(manifest)] or [""]
    clips = clip_players(manifest, rows, media, [first])
    chosen = worst_values(manifest, values)
    players: list[Any] = []
    worst = [
        (metric, worst_clips(metric, chosen[metric.name], values, cells, media, players))
        for metric in manifest.metrics
        if chosen.get(metric.name)
    ]
    clips += clip_players(manifest, rows, media, further)
    return {"clips": clips, "worst": players}, worst


@dataclass(frozen=True, slots=True)
class _Tables:
    """The run's tables, and means over them.

    Attributes:
        by_cell: costs by cell and figure.
        shown: cells that were not struck out, in the order of the file.
        measured: metrics that any cell has.
    """

    manifest: Manifest
    cells: Sequence[CellRow]
    values: Sequence[ValueRow]
    costs: Sequence[CostRow]
    tests: Sequence[TestRow]
    failures: Sequence[FailureFacts]
    speakers: SpeakerMeans
    missing: Missing
    means: Mapping[tuple[str, str], MeanRow]
    by_cell: Mapping[tuple[str, str], CostRow]
    shown: Sequence[CellFacts]
    measured: Sequence[MetricFacts]

    @classmethod
    def of(cls, run: ReportedRun) -> _Tables:
        values, costs = run.value_rows(), run.cost_rows()
        found = {(row.cell, row.metric): row for row in run.mean_rows() if row.mean is not None}
        if run.manifest.statistics_refused is not None:
            found = {key: replace(row, low=None, high=None) for key, row in found.items()}
        measured = {metric for _, metric in found}
        return cls(
            run.manifest,
            run.cell_rows(),
            values,
            costs,
            run.test_rows(),
            run.failures(),
            speaker_means(values),
            missing_values(values),
            found,
            costs_by_cell(costs),
            [cell for cell in run.manifest.cells if cell.excluded is None],
            [metric for metric in run.manifest.metrics if metric.name in measured],
        )


# ---- head: facts, answer, table ---------------------------------------------------------------


def _head(tables: _Tables) -> dict[str, Any]:
    manifest = tables.manifest
    speakers = {clip.speaker for clip in manifest.clips}
    facts = [
        plural(len(tables.shown), "cell"),
        plural(len(manifest.clips), "clip"),
        plural(len(speakers), "speaker"),
        plural(len(manifest.metrics), "metric"),
    ]
    if when := manifest.finished or manifest.started:
        facts.append(when[:10])
    return {
        "manifest": manifest,
        "sections": SECTIONS,
        "facts": facts,
        "cautions": _cautions(tables),
        "refused": (manifest.statistics_refused or "").removeprefix("no statistics: "),
        "dependences": _dependences(manifest),
        "answers": answers(manifest, tables.tests, tables.costs),
        "table": _table(tables),
        "intervals": any(mean.low is not None for mean in tables.means.values()),
        "goals": any(metric.goal for metric in manifest.metrics),
    }


def _dependences(manifest: Manifest) -> Sequence[tuple[Sequence[str], DependenceFacts]]:
    """(metrics, what they have in common with a system)."""
    found: dict[tuple[str, str, str], tuple[list[str], DependenceFacts]] = {}
    for facts in manifest.dependences:
        key = facts.system, facts.origin, facts.why
        found.setdefault(key, ([], facts))[0].append(facts.metric)
    return list(found.values())


def _cautions(tables: _Tables) -> Sequence[str]:
    """What a reader must know before the first figure."""
    counts: dict[str, int] = {}
    for row in tables.cells:
        counts[row.status] = counts.get(row.status, 0) + 1
    total = sum(count for status, count in counts.items() if status != "excluded")
    found = []
    if failed := counts.get("failed", 0):
        text = f"{failed:,} of {total:,} conversions failed; the figures are of the others."
        found.append(f"{text} See Failures.")
    if missing := counts.get("missing", 0):
        stopped = "The run was stopped" if tables.manifest.stopped else "The run is not complete"
        found.append(f"{stopped}: {missing:,} of {total:,} conversions are not computed yet.")
    return [*found, *tables.manifest.warnings]


def _table(tables: _Tables) -> dict[str, Any]:
    """Columns are metrics, computing time and latency; a row is a cell."""
    columns: list[Any] = list(tables.measured)
    cpu = cpu_figure(tables.manifest, tables.shown)
    costed = any(row.name == cpu.name for row in tables.costs)
    if costed:
        columns.append(cpu)
    columns.append(_LATENCY)
    rows = []
    for cell in tables.shown:
        entries = [_entry(tables.means.get((cell.name, m.name)), m) for m in tables.measured]
        if costed:
            entries.append(_cost_entry(tables, cell, cpu))
        entries.append(_latency_entry(tables.manifest, cell))
        rows.append({"name": cell.name, "entries": entries})
    return {"columns": columns, "rows": rows}


_LATENCY = MetricFacts(name="latency_ms", title="latency", better="lower", unit="ms", digits=0)


def _entry(mean: MeanRow | None, metric: MetricFacts) -> dict[str, Any]:
    if mean is None or mean.mean is None:
        return _blank(metric.name)
    note = f"{plural(mean.missing, 'value')} missing" if mean.missing else ""
    return {
        "metric": metric.name,
        "value": repr(mean.mean),
        "text": number(mean.mean, metric.digits),
        "bounds": interval(mean.low, mean.high, metric.digits),
        "goal": meets_goal(mean.mean, metric.goal),
        "note": note,
    }


def _blank(metric: str) -> dict[str, Any]:
    return {"metric": metric, "value": None, "text": NONE, "bounds": "", "goal": None, "note": ""}


def _cost_entry(tables: _Tables, cell: CellFacts, cpu: MetricFacts) -> dict[str, Any]:
    row = tables.by_cell.get((cell.name, cpu.name))
    if row is None:
        return _blank(cpu.name)
    return {
        **_blank(cpu.name),
        "value": repr(row.value),
        "text": number(row.value, cpu.digits),
        "bounds": interval(row.low, row.high, cpu.digits),
    }


def _latency_entry(manifest: Manifest, cell: CellFacts) -> dict[str, Any]:
    value = latency_ms(manifest, cell)
    if value is None:
        return _blank("latency_ms")
    return {**_blank("latency_ms"), "value": repr(value), "text": number(value, 0)}


# ---- pictures ---------------------------------------------------------------------------------


def _figures(tables: _Tables) -> dict[str, Any]:
    tested = list(dict.fromkeys(row.metric for row in tables.tests))
    first = primary_metrics(tables.measured, tested)
    ordered = [*first, *(metric for metric in tables.measured if metric not in first)]
    series = _series_factor(tables)
    costed = CostTables(tables.manifest, tables.shown, tables.means, tables.costs, series)
    return {
        "costs": cost_figures(costed, first),
        "series_factor": series,
        "legend": _legend(tables, series),
        "dot_plots": _dot_plots(tables, ordered),
        "heat_maps": _heat_maps(tables, ordered),
    }


def _legend(tables: _Tables, series: str) -> Sequence[tuple[str, Any]]:
    """(level, its mark)."""
    if not series:
        return []
    return [(n, _safe(m)) for n, m in legend([_series(cell, series) for cell in tables.shown])]


def _series_factor(tables: _Tables) -> str:
    """The factor by which points are coloured: the first that is compared, or else that varies."""
    varied = [
        factor
        for factor in tables.manifest.factors
        if len({cell.levels.get(factor) for cell in tables.shown} - {None}) > 1
    ]
    compared = [c.vary for c in tables.manifest.contrasts if c.vary in varied]
    return next(iter([*compared, *varied]), "")


def _series(cell: CellFacts, factor: str) -> str:
    return cell.levels.get(factor, cell.name)


def _dot_plots(
    tables: _Tables, metrics: Sequence[MetricFacts]
) -> Sequence[tuple[str, Any, bool, str]]:
    names = [cell.name for cell in tables.shown]
    found = []
    for at, metric in enumerate(metrics):
        picture = dot_plot(metric, names, tables.speakers, tables.means)
        if picture is not None:
            more = sum((name, metric.name) in tables.means for name in names) - MOST_ROWS
            note = f"The first {MOST_ROWS} cells; {more} more are in the table." if more > 0 else ""
            found.append((metric.title, _safe(picture), at < 2, note))
    return found


def _heat_maps(tables: _Tables, metrics: Sequence[MetricFacts]) -> Sequence[tuple[str, Any, bool]]:
    values = {key: row.mean for key, row in tables.means.items() if row.mean is not None}
    found = []
    for metric in metrics:
        maps = heat_maps(metric, tables.shown, tables.manifest.factors, values)
        if maps:
            found.append((metric.title, maps, not found))
    return found


def _safe(markup: str) -> Markup:
    """Markup of ElementTree, which has escaped every text in it."""
    return Markup(markup)


# ---- sounds and ending ------------------------------------------------------------------------


def _sounds(
    manifest: Manifest, media: Media, players: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    count = len(players["clips"])
    seed = manifest.seeds[0] if manifest.seeds else 0
    about = (
        f"{plural(count, 'clip')}, drawn blindly with seed {seed} and not chosen by any result. "
        "Levels are as they came out."
    )
    lost = "".join(f"{note}. " for note in _notes(media))
    reason = "`report.audio.clips` is 0." if not manifest.page.clips else "No clip is done."
    if media.missing:
        lost += "`voicegraph experiment run` makes them again. "
    return {
        "has_clips": bool(count),
        "has_worst": bool(players["worst"]),
        "listen_about": f"{about} {lost}".rstrip(),
        "no_clips": f"There is nothing to hear. {lost or reason}",
    }


def _notes(media: Media) -> Sequence[str]:
    found = []
    if media.missing:
        found.append(f"{plural(len(media.missing), 'sound')} no longer in the store")
    if media.left_out:
        found.append(f"{plural(media.left_out, 'sound')} did not fit into the page")
    return found


def _ending(tables: _Tables) -> dict[str, Any]:
    manifest = tables.manifest
    codes: dict[str, int] = {}
    for failure in tables.failures:
        codes[failure.code] = codes.get(failure.code, 0) + 1
    listed = ", ".join(f"{count} of {code}" for code, count in sorted(codes.items()))
    plans = []
    for key, plan in manifest.plans.items():
        names = [cell.name for cell in tables.shown if cell.plan == key]
        if names:
            plans.append((key, names, plan))
    licences = {**manifest.licences}
    for plan in manifest.plans.values():
        licences |= plan.licences
    return {
        "failures": tables.failures,
        "failures_about": f"{plural(len(tables.failures), 'failure')}: {listed}.",
        "complete": all(row.status in ("done", "excluded") for row in tables.cells),
        "excluded": [cell for cell in manifest.cells if cell.excluded is not None],
        "methods": methods(manifest, tables.tests, tables.costs),
        "citations": citations(manifest, tables.tests),
        "provenance": _provenance(manifest),
        "licences": sorted(licences.items()),
        "plans": plans,
        "not_measured": not_measured(manifest, tables.costs, tables.missing),
        "again": run_again(manifest),
    }


def _provenance(manifest: Manifest) -> Sequence[tuple[str, str]]:
    machines = "; ".join(
        ", ".join(
            part
            for part in (
                machine.host,
                machine.processor,
                plural(machine.cores, "core") if machine.cores else "",
                f"{machine.memory_mb / 1024:.0f} GB" if machine.memory_mb else "",
                machine.system,
            )
            if part
        )
        for machine in manifest.machines
    )
    changed = f", with changes (SHA-256 {manifest.dirty})" if manifest.dirty else ""
    rows = (
        ("experiment", f"{manifest.name}, {manifest.hash}".rstrip(", ")),
        ("voicegraph", manifest.voicegraph),
        ("commit", f"{manifest.commit}{changed}" if manifest.commit else ""),
        ("started", manifest.started),
        ("finished", manifest.finished or ""),
        ("machines", machines),
        ("seeds", ", ".join(map(str, manifest.seeds))),
        ("store", manifest.store),
    )
    return [(name, text) for name, text in rows if text]
