"""The figure of a training."""

from __future__ import annotations

import json
from pathlib import Path

from voicegraph.training.encoder._learning_curves import CASES, draw


def test_log_without_one_of_the_cases_is_drawn(tmp_path: Path) -> None:
    older = [case for case in CASES if case != " room"]
    figures = {f"{name}{case}": 0.5 for name in ("cosine", "phone error") for case in older}
    log = tmp_path / "losses.jsonl"
    log.write_text("".join(json.dumps({"step": step} | figures) + "\n" for step in (0, 500)))
    draw(log, tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes()[:4] == b"\x89PNG"
