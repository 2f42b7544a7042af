"""``voicegraph experiment gc``: removes stored results that no run has used for long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import JsonOption, flag, option
from ._output import echo, print_json
from .experiment import experiment

if TYPE_CHECKING:
    from voicegraph.schemas.experiment_run_report import StoreReport

_UNITS = {"h": 3600.0, "d": 86400.0, "w": 604800.0}
_AGE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([hdw])")

KeepOption = Annotated[
    str, option("AGE", "Keep what was written or used so long ago: `12h`, `30d`, `8w`.")
]
StoreOption = Annotated[
    Path | None, option("DIR", "The store. Default: the one in the user's cache folder.")
]
DryOption = Annotated[bool, flag("--dry", "Remove nothing; say what would be removed.")]


@experiment.command("gc")
def experiment_gc(
    keep: KeepOption = "30d",
    store: StoreOption = None,
    dry: DryOption = False,
    as_json: JsonOption = False,
) -> int:
    """Remove stored results that no run has used for long.

    They are computed again when an experiment needs them:

    voicegraph experiment gc --keep 30d --dry
    """
    from voicegraph.experiments.driver.requirements import require_packages

    require_packages("serial", "csv")
    from voicegraph.experiments.store import Store, collect, default_store
    from voicegraph.schemas.experiment_run_report import StoreReport

    place = Store(_existing(store) if store is not None else default_store())
    found = collect(place, _seconds(keep), dry=dry)
    report = StoreReport(
        store=str(place.path),
        dry=dry,
        removed=found.results,
        leftovers=found.leftovers,
        freed_bytes=found.freed,
        kept=found.kept,
        kept_bytes=found.kept_bytes,
    )
    print_json(report) if as_json else _show(report)
    return 0


def _existing(store: Path) -> Path:
    """A folder that was named must be there, and be a store: a typing error removes nothing.

    Raises:
        BadParameter: if it is none.
    """
    from voicegraph.experiments.store import Store

    if not store.is_dir():
        raise typer.BadParameter(f"{store} is not a folder", param_hint="--store")
    if any(store.iterdir()) and next(Store(store).keys(), None) is None:
        raise typer.BadParameter(f"{store} holds no results", param_hint="--store")
    return store


def _seconds(age: str) -> float:
    match = _AGE.fullmatch(age)
    if match is None:
        text = f"expected a number and h, d or w, such as 30d, found {age!r:.40}"
        raise typer.BadParameter(text, param_hint="--keep")
    return float(match[1]) * _UNITS[match[2]]


def _show(report: StoreReport) -> None:
    verb = "would remove" if report.dry else "removed"
    more = f" and {report.leftovers} unfinished files" if report.leftovers else ""
    echo(f"{verb} {report.removed} results{more}, {report.freed_bytes / 1e6:.1f} MB")
    echo(f"{report.kept} results stay, {report.kept_bytes / 1e6:.1f} MB: {report.store}")
