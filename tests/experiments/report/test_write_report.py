"""The page as a file: figures, what is missing, hostile texts."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.report import _media, _players
from voicegraph.experiments.report._media import Media
from voicegraph.experiments.report._numbers import MINUS
from voicegraph.experiments.report.write_report import write_report
from voicegraph.experiments.store import Store
from voicegraph.graph.errors import OutputError
from voicegraph.schemas.experiment_manifest import FailureFacts, PageSettings

from .synthetic_run import METRICS, SyntheticRun, name_of, synthetic_run

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\x1b\u202e{{7*7}}-->]]>"
)


class _Reader(HTMLParser):
    """Elements with their attributes, and the text below each id of a section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.scripts: list[str] = []
        self.cells: dict[tuple[str, str], tuple[str, str]] = {}
        self._section, self._script, self._cell = "", False, None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._script = tag == "script"
        if tag == "section":
            self._section = found["id"] or ""
        if tag == "td" and "data-value" in found:
            self._cell = str(found["data-cell"]), str(found["data-metric"])
            self.cells[self._cell] = str(found["data-value"]), ""

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"
        if tag == "td":
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts.append(data)
        if self._script or (self.tags and self.tags[-1][0] == "style"):
            return
        self.text[self._section] = self.text.get(self._section, "") + data
        if self._cell is not None and not self.cells[self._cell][1]:
            self.cells[self._cell] = self.cells[self._cell][0], data.strip()


def _page(run: SyntheticRun, tmp_path: Path) -> _Reader:
    path = tmp_path / "report.html"
    write_report(run, path)
    return _Reader(path.read_text(encoding="utf-8"))


def _media_of(page: _Reader) -> dict[str, Any]:
    return json.loads(page.scripts[0])


def test_every_figure_of_the_table_is_that_of_the_values(tmp_path: Path) -> None:
    run = synthetic_run()
    page = _page(run, tmp_path)
    expected: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in run.values:
        assert row.value is not None
        speakers = expected.setdefault((row.cell, row.metric), {})
        speakers.setdefault(row.speaker, []).append(row.value)
    digits = {metric.name: metric.digits for metric in METRICS}
    checked = 0
    for (cell, metric), (value, shown) in page.cells.items():
        if metric in digits:
            mean = np.mean([np.mean(found) for found in expected[cell, metric].values()])
            assert float(value) == pytest.approx(mean, rel=1e-12)
            assert shown == f"{mean:.{digits[metric]}f}".replace("-", MINUS)
            checked += 1
    assert checked == len(expected) == 48
    costs = {row.cell: row.value for row in run.costs}
    assert {c: float(v) for (c, m), (v, _) in page.cells.items() if m == "cpu_ms"} == costs


def test_sections_are_in_order(tmp_path: Path) -> None:
    sections = [
        found["id"] for tag, found in _page(synthetic_run(), tmp_path).tags if tag == "section"
    ]
    assert sections == [
        *("answer", "table", "side-effects", "dependences", "pareto", "speakers", "factors"),
        *("listen", "worst", "failures", "methods", "provenance", "not-measured", "again"),
    ]


def test_hostile_names_do_not_become_markup(tmp_path: Path) -> None:
    clean = _page(synthetic_run(), tmp_path)
    run = synthetic_run(extra=HOSTILE)
    run.failed = [
        FailureFacts(cell=HOSTILE, clip=HOSTILE, code="node-failed", message=HOSTILE, node=HOSTILE)
    ]
    page = _page(run, tmp_path)
    kinds = {(tag, *sorted(found)) for tag, found in page.tags}
    assert kinds - {(tag, *sorted(found)) for tag, found in clean.tags} == set()
    assert len(page.scripts) == len(clean.scripts) == 2
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not set("\x1b\u202e") & set(text)
    assert "{{7*7}}" in page.text["failures"]
    assert "\\u202e" in page.text["provenance"]


def test_policy_allows_its_own_script_and_style_alone(tmp_path: Path) -> None:
    page = _page(synthetic_run(), tmp_path)
    policy = next(f["content"] for t, f in page.tags if t == "meta" and "http-equiv" in f) or ""
    assert policy.startswith("default-src 'none'; ")
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not [f for _, f in page.tags if any(name == "style" or name[:2] == "on" for name in f)]
    outside = [v for _, f in page.tags for n, v in f.items() if n in ("src", "href") and v]
    assert all(value.startswith(("#", "data:")) for value in outside)


def test_refused_statistics_are_not_shown(tmp_path: Path) -> None:
    run = synthetic_run(
        statistics_refused="there is one speaker, and statistics need 6",
        statistics_fix="clips.files",
    )
    page = _page(run, tmp_path)
    assert "one speaker" in page.text["answer"]
    assert "clips.files" in page.text["answer"]
    everything = " ".join(page.text.values())
    for word in ("p =", "p <", "95\xa0%", "95 %", "BCa", "Holm", "permutation", "interval"):
        assert word not in everything, word


def test_sounds_are_opus_of_the_right_length(tmp_path: Path) -> None:
    opus = PageSettings(clips=1, worst=0, format="opus")
    media = _media_of(_page(synthetic_run(seconds=1.2, page=opus), tmp_path))
    sound = media["sounds"]["s0"]
    data = io.BytesIO(base64.b64decode(sound["audio"]))
    found = soundfile.info(data)
    assert (found.format, found.subtype) == ("OGG", "OPUS")
    assert found.duration == pytest.approx(1.2, abs=0.001)
    assert len(sound["f0"]) == 121


def test_player_has_source_target_and_every_variant(tmp_path: Path) -> None:
    media = _media_of(_page(synthetic_run(), tmp_path))
    assert len(media["players"]["clips"]) == 2
    labels = [track["label"] for track in media["players"]["clips"][0]["tracks"]]
    names = [
        name_of(p, t, n)
        for p in ("world", "default")
        for t in ("dio", "swift", "praat")
        for n in ("clean", "pink20")
    ]
    assert labels[:3] == ["source", "target: heart", "given: noise=pink20"]
    assert sorted(labels[3:]) == sorted(names)


def test_player_of_many_variants_has_some_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [t["label"] for t in _first_player(tmp_path)["tracks"] if t["kind"] == "variant"]
    monkeypatch.setattr(_players, "MOST_VARIANTS", 4)
    player = _first_player(tmp_path)
    found = [t["label"] for t in player["tracks"] if t["kind"] == "variant"]
    assert found == [every[k] for k in (0, 4, 7, 11)]
    assert player["title"].endswith(", 4 of 12 variants, evenly spread")


def _first_player(tmp_path: Path) -> Any:
    return _media_of(_page(synthetic_run(), tmp_path))["players"]["clips"][0]


def test_sounds_are_encoded_ahead_and_each_once(tmp_path: Path) -> None:
    run, read = synthetic_run(), Counter[str]()

    def sound(key: str) -> tuple[np.ndarray, int]:
        read[key] += 1
        return SyntheticRun.sound(run, key)

    run.sound = sound  # pyright: ignore[reportAttributeAccessIssue]
    ahead = _media_of(_page(run, tmp_path))
    assert set(read.values()) == {1}
    alone = Media(synthetic_run().sound, run.manifest.page.format)
    names = [alone.add(key) for key in read]
    assert len(names) == len(ahead["sounds"])
    assert sorted(json.dumps(item) for item in alone.items.values()) == sorted(
        json.dumps(item) for item in ahead["sounds"].values()
    )


def test_clips_are_not_drawn_by_result(tmp_path: Path) -> None:
    run = synthetic_run()
    before = [player["title"] for player in _media_of(_page(run, tmp_path))["players"]["clips"]]
    run.values = [replace(row, value=-(row.value or 0)) for row in run.values]
    after = [player["title"] for player in _media_of(_page(run, tmp_path))["players"]["clips"]]
    assert before == after


def test_worst_clips_are_the_worst(tmp_path: Path) -> None:
    run = synthetic_run()
    page = _page(run, tmp_path)
    errors = sorted((r.value or 0 for r in run.values if r.metric == "words.wer"), reverse=True)
    titles = [player["title"] for player in _media_of(page)["players"]["worst"]]
    found = [title for title in titles if title.startswith("word error rate")]
    assert [title.split(":")[0] for title in found] == [
        f"word error rate {value:.3f}" for value in errors[:2]
    ]


def test_missing_sounds_are_said(tmp_path: Path) -> None:
    run = synthetic_run()
    run.sounds = {}
    written = write_report(run, tmp_path / "report.html")
    page = _Reader((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "no longer in the store" in page.text["listen"]
    assert written.sounds == 0
    assert "no longer in the store" in written.notes[0]


def test_page_stays_within_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_media, "MOST_BYTES", 60_000)
    written = write_report(synthetic_run(), tmp_path / "report.html")
    assert 0 < written.sounds < 10
    assert "did not fit into the page" in written.notes[0]
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "did not fit into the page" in text


def test_page_without_sounds_values_or_tests(tmp_path: Path) -> None:
    run = synthetic_run(page=PageSettings(clips=0, worst=0), contrasts=())
    run.values, run.tests, run.costs = (), (), ()
    page = _page(run, tmp_path)
    assert "compares nothing" in page.text["answer"]
    assert "Computing time was not measured" in page.text["not-measured"]
    assert "Nobody listened" in page.text["not-measured"]


def test_failures_and_missing_results_are_said(tmp_path: Path) -> None:
    run = synthetic_run()
    first, second, *others = run.cells
    run.cells = [
        replace(first, status="failed", code="late"),
        replace(second, status="missing"),
        *others,
    ]
    run.failed = [
        FailureFacts(cell=first.cell, clip=first.clip, code="late", message="took 90 s", node="f0")
    ]
    run.values = [replace(run.values[0], value=None, why_null="no voiced frame"), *run.values[1:]]
    page = _page(run, tmp_path)
    assert "1 of 144 conversions failed" in page.text[""]
    assert "1 of 144 conversions are not computed yet" in page.text[""]
    assert "took 90 s" in page.text["failures"]
    assert "1 value missing in 1 cell, since no voiced frame" in page.text["not-measured"]


@pytest.mark.parametrize("place", ["store", "audio/page"], ids=["of-the-run", "gone"])
def test_sounds_are_encoded_once(tmp_path: Path, place: str) -> None:
    run = synthetic_run(store="store")
    run.folder = tmp_path
    if place == "store":
        (tmp_path / place).mkdir()
    first = write_report(run, tmp_path / "report.html")
    text = first.path.read_text(encoding="utf-8")
    run.sounds = {}
    assert write_report(run, tmp_path / "report.html").sounds == first.sounds
    assert first.path.read_text(encoding="utf-8") == text
    store = Store(tmp_path / place)
    assert len(list(store.keys())) == first.sounds
    damaged = next((tmp_path / place).glob("??/*.safetensors"))
    damaged.write_bytes(b"{")
    assert write_report(run, tmp_path / "report.html").sounds == first.sounds - 1


def test_the_same_sounds_make_the_same_page(tmp_path: Path) -> None:
    pages = []
    for name in "ab":
        write_report(synthetic_run(), tmp_path / name)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_bibtex_has_balanced_braces(tmp_path: Path) -> None:
    page = _page(synthetic_run(), tmp_path)
    entries = re.findall(r"@\w+\{[\w-]+,", page.text["methods"])
    assert entries[0] == "@article{efron1987bca,"
    bibtex = page.text["methods"][page.text["methods"].index("@article") :]
    assert bibtex.count("{") == bibtex.count("}")


def test_existing_page_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_report(synthetic_run(), tmp_path / "report.html", force=False)


def test_code_is_marked_and_escaped(tmp_path: Path) -> None:
    run = synthetic_run(not_measured=("see `<b>x</b>` & `y`", "a ` alone"))
    run.costs = ()
    _page(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "see <code>&lt;b&gt;x&lt;/b&gt;</code> &amp; <code>y</code>" in text
    assert "a ` alone" in text
    assert "(metric <code>cost</code>)" in text


def test_metrics_of_one_dependence_are_named_together(tmp_path: Path) -> None:
    (known,) = synthetic_run().manifest.dependences
    more = known.model_copy(update={"metric": "phones.rate"})
    page = _page(synthetic_run(dependences=(known, more)), tmp_path)
    assert "phones.hama, phones.rate are not independent of default" in page.text["dependences"]
