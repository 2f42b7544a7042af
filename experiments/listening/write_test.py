"""Writes a listening test of a run: webMUSHRA's files, one page without a server, and the key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.files.atomic_write import reported_errors, write_text
from voicegraph.schemas.experiment_manifest import CellFacts

from ..report.reported_run import ReportedRun
from ._offline_page import offline_page
from ._stimuli import prepared_sounds
from ._webmushra import write_webmushra
from .listening_test import Kind, ListeningTest, draw_test, write_key

FOR_LISTENERS = "for-listeners"
"""Folder of what listeners get; the key lies outside."""
KEY = "key.csv"
PAGE = "listen.html"


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """What was written.

    Attributes:
        test: the test.
        page: the page without a server.
        config: webMUSHRA's config.
        key: which sound is which; not for listeners.
    """

    test: ListeningTest
    page: Path
    config: Path
    key: Path


def write_test(
    run: ReportedRun,
    kind: Kind,
    cells: Sequence[CellFacts],
    folder: Path,
    *,
    trials: int = 12,
    seed: int = 1,
    force: bool = False,
) -> WrittenTest:
    """Draws a test and writes it.

    Args:
        run: the run.
        kind: of the test.
        cells: what is compared.
        folder: where to.
        trials: how many clips are drawn.
        seed: of the draw.
        force: replace a test that is there. Its ratings can no longer be read then.

    Raises:
        PipelineError: if the cells do not make such a test.
        InputError: if sounds are missing.
        OutputError: if there is a test already, or it cannot be written.
    """
    key = folder / KEY
    if key.exists() and not force:
        text = f"{key} exists: without it the ratings of that test cannot be read"
        raise OutputError(Problem("exists", text, fix="--out another folder, or --force"))
    test = draw_test(run.manifest, run.cell_rows(), kind, cells, trials=trials, seed=seed)
    sounds = prepared_sounds(test, _reader(run))
    with reported_errors(folder, folder.parent):
        config = write_webmushra(test, sounds, folder / FOR_LISTENERS / "webmushra")
        write_key(test, key)
    page = folder / FOR_LISTENERS / PAGE
    write_text(page, offline_page(test, sounds), force=True)
    return WrittenTest(test, page, config, key)


def _reader(run: ReportedRun) -> Callable[[str], tuple[np.ndarray, int]]:
    def read(key: str) -> tuple[np.ndarray, int]:
        try:
            return run.sound(key)
        except KeyError:
            text = f"a sound of the test is no longer in the store {run.manifest.store}"
            fix = f"voicegraph experiment run {run.folder / 'experiment.yaml'} --out {run.folder}"
            raise InputError(Problem("no-sound", text, fix=fix)) from None

    return read
