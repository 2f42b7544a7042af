"""The table of rows, and its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.pipeline import Pipeline
from voicegraph.training.evaluate._conversion import FORMANTS, overrides
from voicegraph.training.evaluate._rows import Row, Voice, open_voice, rows
from voicegraph.training.evaluate.clips import Clip

SHIPPED = Path(__file__).parents[3] / "pipelines" / "voices" / "heart.safetensors"


def test_bundled_table_compiles() -> None:
    voice = open_voice(SHIPPED)
    assert (voice.name, voice.sex) == ("heart", "F")
    made, against = rows([voice])
    assert against in {row.condition for row in made}
    assert {row.kind for row in made} == {"source", "target", "pipeline"}
    assert {row.snr_db for row in made} == {None, 20.0, 10.0}
    for row in {row.name: row for row in made if row.kind == "pipeline"}.values():
        plan = Pipeline.load(row.pipeline, dict(overrides(row))).compile()
        assert plan.settings.threads == 1


def test_every_voice_has_every_row(table: Path, voice: Voice) -> None:
    other = Voice(Path("other.safetensors"), 100.0)
    made, _ = rows([voice, other], table=table)
    assert len({row.label for row in made}) == len(made) == 12
    assert [row.condition for row in made[:3]] == ["source", "source, 20 dB", "target"]
    chosen, _ = rows([voice], ["source*", "much quieter"], table)
    assert [row.condition for row in chosen] == ["source", "source, 20 dB", "much quieter"]


def test_unknown_row_is_refused(table: Path, voice: Voice) -> None:
    with pytest.raises(SystemExit, match="no row is called 'loud'; there are:\n  source"):
        rows([voice], ["loud"], table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("against: a\nrows: {a: {pipe: world}}", "pipe"),
        ("against: a\nrows: {a: {is: source, pipeline: world}}", "either `pipeline`"),
        ("against: a\nrows: {a: {}}", "either `pipeline`"),
        ("rows: [", "rows.yaml"),
    ],
)
def test_wrong_table_is_refused(text: str, said: str, tmp_path: Path, voice: Voice) -> None:
    path = tmp_path / "rows.yaml"
    path.write_text(text)
    with pytest.raises(SystemExit, match=said):
        rows([voice], table=path)


def test_transpose_matches_the_median_f0(voice: Voice) -> None:
    row = Row("WORLD", voice, "pipeline", "world", (), "transpose")
    man = dict(overrides(row, Clip("1-1-1", "M", 95.0, 5.0)))
    assert man["vars.transpose"] == pytest.approx(12, abs=1e-3)
    assert man["vars.formant"] == pytest.approx(FORMANTS, abs=1e-3)
    woman = dict(overrides(row, Clip("1-1-1", "F", 190.0, 5.0)))
    assert woman == {"vars.transpose": 0.0, "vars.formant": 0.0}
    down = Row("WORLD", Voice(voice.path, 95.0), "pipeline", "world", (), "transpose")
    found = dict(overrides(down, Clip("1-1-1", "F", 190.0, 5.0)))
    assert found["vars.transpose"] == pytest.approx(-12, abs=1e-3)
    assert found["vars.formant"] == pytest.approx(-FORMANTS, abs=1e-3)


def test_start_sets_the_median_f0(voice: Voice) -> None:
    row = Row("live", voice, "pipeline", "default-live", (("vars.retrieve", 0),), "start")
    found = dict(overrides(row, Clip("1-1-1", "M", 95.0, 5.0)))
    assert found == {"vars.retrieve": 0, "vars.voice": str(voice.path), "vars.start": 95.0}
    assert "vars.start" not in dict(overrides(row))
