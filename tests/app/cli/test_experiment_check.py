"""``voicegraph experiment check``."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Cli

GOOD = """
pipeline: world
factors:
  tracker: {swap: f0, levels: {dio: f0.dio, harvest: f0.harvest}}
  noise: {clean: null, pink: {noise: pink, snr: 10}}
metrics: [level]
store: null
compare: [{vary: tracker}]
"""


def test_check_says_what_would_run_and_writes_nothing(cli: Cli, place: Path) -> None:
    Path("trackers.yaml").write_text(GOOD, encoding="utf-8")
    before = sorted(place.rglob("*"))
    code, out, _ = cli("experiment", "check", "trackers.yaml")
    assert code == 0
    assert "trackers: ok, 4 cells" in out
    assert "4  conversions" in out
    assert "tracker: harvest against dio at the same noise" in out
    assert "no statistics" in out  # the bundled recording is one speaker
    assert "clips.files" in out
    assert sorted(place.rglob("*")) == before


def test_check_as_json_has_all_of_it(cli: Cli, place: Path) -> None:
    Path("trackers.yaml").write_text(GOOD, encoding="utf-8")
    code, out, _ = cli("experiment", "check", "trackers.yaml", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["ok"]
    assert {count["kind"]: count["tasks"] for count in found["tasks"]}["convert"] == 4
    assert found["contrasts"][0]["tests"] == 2 * len(found["contrasts"][0]["metrics"])


def test_mistakes_are_told_at_once_with_places(cli: Cli, place: Path) -> None:
    text = GOOD.replace("harvest: f0.harvest", "harvest: f0.harvets").replace("[level]", "[levle]")
    Path("trackers.yaml").write_text(text, encoding="utf-8")
    code, out, err = cli("experiment", "check", "trackers.yaml")
    assert code == 2
    assert not out
    assert "trackers.yaml:4:" in err
    assert "f0.harvest" in err
    assert "trackers.yaml:6:" in err
    assert "2 problems" in err
    code, out, _ = cli("experiment", "check", "trackers.yaml", "--json")
    assert code == 2
    assert [problem["line"] for problem in json.loads(out)["problems"]] == [4, 6]
