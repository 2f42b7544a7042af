"""The evaluation: resuming, converting, and writing the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from voicegraph.graph.metrics import benchmark
from voicegraph.training.evaluate._evaluation import Evaluation
from voicegraph.training.evaluate._metrics import METRICS

CLIPS, OWN = 4, 3
ALL = 2 * CLIPS + OWN + 3 * CLIPS
"""Sources with and without noise, the voice's own, three rows."""


def test_only_missing_files_are_made(evaluation: Evaluation, heard: list[Path]) -> None:
    evaluation.run(1, measure_costs=False)
    assert len(heard) == len(set(heard)) == ALL
    heard.clear()
    evaluation.run(1, measure_costs=False)
    assert heard == []
    store = evaluation.store
    made = sorted((store.root / "made").rglob("*.flac"))
    assert len(made) == 3 * CLIPS
    before = made[0].stat().st_mtime_ns
    store.observed(made[0]).unlink()  # as if it had been stopped between the two
    made[1].unlink()
    store.observed(made[1]).unlink()
    evaluation.run(1, measure_costs=False)
    assert heard == made[:2]
    assert made[0].stat().st_mtime_ns == before


def test_changed_pipeline_is_converted_again(
    evaluation: Evaluation, heard: list[Path], tmp_path: Path
) -> None:
    evaluation.run(1, measure_costs=False)
    heard.clear()
    path = tmp_path / "quieter.yaml"
    path.write_text(path.read_text().replace("db: -6", "db: -7"))
    from voicegraph.training.evaluate import _conversion as conversion
    from voicegraph.training.evaluate import _evaluation as module

    conversion.pipeline.cache_clear()
    module._identity.cache_clear()
    evaluation.run(1, measure_costs=False)
    assert len(heard) == 2 * CLIPS  # the row that sets vars.db is as it was


def test_clips_go_through_the_pipeline(evaluation: Evaluation) -> None:
    evaluation.run(1, measure_costs=False)
    quieter = next(row for row in evaluation.rows if row.condition == "quieter")
    clip = evaluation.clips[0]
    given, _ = soundfile.read(evaluation.store.source(clip, None))
    made, _ = soundfile.read(evaluation._converted(quieter, clip))
    assert len(made) == len(given) == 32000
    assert made == pytest.approx(given * 10 ** (-6 / 20), abs=1e-4)


def test_table_has_every_row_and_column(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    monkeypatch.setattr(benchmark, "_MOST", 60)
    evaluation.run(1)
    written = evaluation.write(tmp_path / "out", tmp_path / "pictures")
    page = written[0].read_text(encoding="utf-8")
    for title in (metric.title for metric in METRICS):
        assert f"| {title} |" in page
    for row in evaluation.rows:
        assert f"| {row.label} |" in page
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    counts = {line.count("|") for line in lines}
    assert counts == {len(METRICS) + 2, len(METRICS) + 5}  # with costs and without
    found = json.loads(written[1].read_text(encoding="utf-8"))
    rows = {row["row"]: row for row in found["rows"]}
    quieter = rows["somebody: quieter"]
    assert quieter["means"]["phone_error"]["all"]["mean"] == 0
    assert quieter["means"]["phone_error"]["M"]["count"] == 2
    assert quieter["cost"]["block_ms"] == 20
    assert quieter["cost"]["undisturbed_ms"] > 0
    assert quieter["latency_ms"] == [0, 40]
    assert "differences" not in quieter
    assert rows["somebody: target"]["means"]["phone_error"]["all"]["mean"] is None
    assert set(rows["somebody: much quieter"]["differences"]) == {m.name for m in METRICS}
    assert all(path.exists() and path.stat().st_size < 150_000 for path in written)
    assert {path.suffix for path in written[2:]} == {".jpg"}
    assert len(written) == 2 + 1 + 2
