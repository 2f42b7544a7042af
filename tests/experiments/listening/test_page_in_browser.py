"""The page without a server in Chromium: ratings are given, saved, and read back."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegraph.experiments.listening.listening_test import Kind
from voicegraph.experiments.listening.read_ratings import read_ratings
from voicegraph.experiments.listening.write_test import WrittenTest, write_test
from voicegraph.experiments.results.run import Run

from ...accessibility import contrast_faults, page_faults
from ...chromium import Page, chromium
from ..report.synthetic_run import on_disk, synthetic_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return on_disk(synthetic_run(speakers=2, clips=1, seconds=0.5), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as opened:
        yield opened
        assert opened.errors == []
        assert opened.requests == []


def _test(run: Run, folder: Path, kind: Kind) -> WrittenTest:
    cells = [cell for cell in run.manifest.cells if cell.name.startswith("world, tracker=dio")]
    return write_test(run, kind, cells, folder / "test", trials=2)


def _begin(page: Page, written: WrittenTest, name: str = "Ann") -> None:
    page.look(900)
    page.open(written.page)
    page.evaluate(f"document.getElementById('listener').value = {name!r}")
    page.evaluate("document.querySelector('#start button').click()")


def _answer(page: Page, rate: str) -> None:
    """Plays everything on the page, answers by a script, and goes on."""
    assert page.evaluate("document.getElementById('next').disabled") is True
    page.evaluate("document.querySelectorAll('[data-row]').forEach((each) => each.click())")
    page.evaluate(rate)
    assert page.evaluate("document.getElementById('missing').textContent") == ""
    page.evaluate("document.getElementById('next').click()")


def _saved(page: Page, folder: Path) -> Path:
    page.evaluate("document.getElementById('save').click()")
    for _ in range(200):
        found = list(folder.glob("*.csv"))
        if found:
            return found[0]
        time.sleep(0.1)
        page.evaluate("0")
    raise AssertionError("nothing was saved")


CLICKED = """new Promise((done) => {
    const buttons = [...document.querySelectorAll('[data-row]')];
    buttons[NUMBER].click();
    setTimeout(() => done(buttons.map((each) => each.ariaPressed === 'true')), 400); })"""
RATE: dict[str, str] = {
    "mushra": """document.querySelectorAll('.rating input').forEach((each, at) => {
        each.value = 20 + at; each.dispatchEvent(new Event('input')); })""",
    "mos": "document.querySelectorAll('fieldset input')[3].click()",
    "ab": "document.querySelectorAll('fieldset input')[2].click()",
    "abx": "document.querySelectorAll('fieldset input')[0].click()",
}


@pytest.mark.parametrize("kind", ["mushra", "mos", "ab", "abx"])
def test_ratings_are_saved_and_read_back(page: Page, run: Run, tmp_path: Path, kind: Kind) -> None:
    written = _test(run, tmp_path, kind)
    pages = 4 if kind == "mos" else 2
    page.saves_to(tmp_path)
    _begin(page, written, 'Ann "A", =1')
    for _ in range(pages):
        _answer(page, RATE[kind])
    assert page.evaluate("document.getElementById('end').hidden") is False
    path = _saved(page, tmp_path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert {row["listener"] for row in rows} == {'Ann "A", =1'}
    if kind == "mushra":
        assert sorted({row["rating_score"] for row in rows}) == ["20", "21", "22", "23"]
        assert {row["rating_stimulus"] for row in rows} == {"reference", "anchor35", "c01", "c02"}
    if kind == "mushra":  # whoever rates the hidden reference at 20 is no expert
        text = path.read_text(encoding="utf-8").replace(",reference,2", ",reference,9")
        path.write_text(text, encoding="utf-8")
    found = read_ratings(run.folder, run.manifest, written.key, [path])
    assert found.ratings == {"mushra": 8, "mos": 4, "ab": 2, "abx": 2}[kind]
    scores = {value.value for value in found.measures.values}
    if kind == "mos":
        assert scores == {4.0}
    if kind == "ab":
        assert scores == {0.5}
    opened = Run.open(run.folder)
    assert found.measures.metrics[0].name in {row.metric for row in opened.value_rows()}


def test_hidden_reference_is_not_given_away(page: Page, run: Run, tmp_path: Path) -> None:
    """The reference and its hidden copy are one sound: playing one must not mark the other."""
    _begin(page, _test(run, tmp_path, "mushra"))
    count = page.evaluate("document.querySelectorAll('[data-row]').length")
    pressed = [page.evaluate(CLICKED.replace("NUMBER", str(at))) for at in range(count)]
    assert pressed == [[at == number for at in range(count)] for number in range(count)]


def test_answers_survive_a_reload_and_are_of_one_listener(
    page: Page, run: Run, tmp_path: Path
) -> None:
    written = _test(run, tmp_path, "mos")
    _begin(page, written, "Dan")
    _answer(page, RATE["mos"])
    page.open(written.page)
    page.evaluate("document.getElementById('listener').value = 'Eve'")
    page.evaluate("document.querySelector('#start button').click()")
    assert page.evaluate("document.getElementById('progress').textContent") == "Page 1 of 4"
    _begin(page, written, "Dan")
    assert page.evaluate("document.getElementById('progress').textContent") == "Page 2 of 4"
    page.evaluate("document.getElementById('back').click()")
    checked = "document.querySelector('fieldset input:checked').value"
    assert page.evaluate(checked) == "4"


@pytest.mark.parametrize("kind", ["mushra", "mos"])
@pytest.mark.parametrize("width", [900, 390])
def test_page_is_accessible_and_works_by_keyboard(
    page: Page, run: Run, tmp_path: Path, kind: Kind, width: int
) -> None:
    page.look(width)
    page.open(_test(run, tmp_path, kind).page)
    assert page_faults(page) + contrast_faults(page) == []
    page.evaluate("document.getElementById('listener').focus()")
    for letter in f"Bo{width}":
        page.press(letter)
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "progress"
    for dark in (False, True):
        page.look(width, dark=dark)
        assert page_faults(page) + contrast_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.press("Tab")
    page.press("Enter")
    page.press("Tab")
    if kind == "mushra":
        page.press("Tab")
        page.press("Enter")
    assert page.evaluate("document.getElementById('next').disabled") is True
    assert page.errors == []
