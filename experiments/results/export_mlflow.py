"""A run as a folder ``mlruns`` in the layout of MLflow's file store; needs no package.

The experiment is one of MLflow, each cell a run of it: levels are params, means over speakers are
metrics. MLflow 3 opens such a folder only if MLFLOW_ALLOW_FILE_STORE is set; its
``mlflow migrate-filestore`` makes a database of it.

Source: mlflow/store/tracking/file_store.py of MLflow 2 and 3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.experiment_manifest import CellFacts, Manifest

from .run import FAILURES, MANIFEST, Run

_FINISHED, _FAILED, _KILLED = 3, 4, 5
"""Numbers of MLflow's RunStatus."""
_LOCAL = 4
"""Number of MLflow's SourceType."""
_ARTIFACTS = ("summary.md", MANIFEST, "resolved.yaml", FAILURES)


def export_mlflow(run: Run, folder: Path, *, force: bool = False) -> list[Path]:
    """Writes the experiment into a folder ``mlruns``, beside others that are there; its folders.

    Raises:
        OutputError: if it is there already and ``force`` is not set, or cannot be written.
    """
    facts = run.manifest
    number = str(int(hashlib.sha256(facts.hash.encode()).hexdigest()[:15], 16))
    place = folder / number
    times = _milliseconds(facts.started), _milliseconds(facts.finished or facts.started)
    meta = {
        "artifact_location": place.absolute().as_uri(),
        "creation_time": times[0],
        "experiment_id": number,
        "last_update_time": times[1],
        "lifecycle_stage": "active",
        "name": f"{facts.name}-{facts.hash[:8]}",
    }
    _write_yaml(place / "meta.yaml", meta, force)
    written = [place]
    status = _statuses(run)
    metrics = _metrics(run)
    for cell in facts.cells:
        if cell.excluded is None:
            at = place / hashlib.sha256(f"{facts.hash} {cell.name}".encode()).hexdigest()[:32]
            _write_run(at, cell, facts, number, times, status.get(cell.name, _KILLED), force)
            for name, value in metrics.get(cell.name, {}).items():
                line = f"{times[1]} {value!r} 0\n"
                write_text(at / "metrics" / name, line, force=force)
            for name in _ARTIFACTS:
                text = (run.folder / name).read_text(encoding="utf-8")
                write_text(at / "artifacts" / name, text, force=force)
            written.append(at)
    return written


def _write_run(
    at: Path,
    cell: CellFacts,
    facts: Manifest,
    number: str,
    times: tuple[int, int],
    status: int,
    force: bool,
) -> None:
    meta = {
        "artifact_uri": (at / "artifacts").absolute().as_uri(),
        "end_time": times[1],
        "entry_point_name": "",
        "experiment_id": number,
        "lifecycle_stage": "active",
        "run_id": at.name,
        "run_name": cell.name,
        "run_uuid": at.name,
        "source_name": "",
        "source_type": _LOCAL,
        "source_version": "",
        "start_time": times[0],
        "status": status,
        "tags": [],
        "user_id": "voicegraph",
    }
    _write_yaml(at / "meta.yaml", meta, force)
    params = {**cell.levels, **({"target": cell.target} if cell.target else {})}
    tags = {
        "mlflow.runName": cell.name,
        "mlflow.source.name": "voicegraph experiment",
        "mlflow.source.type": "LOCAL",
        "voicegraph.version": facts.voicegraph,
        "voicegraph.plan": cell.plan or "",
        "voicegraph.experiment": facts.hash,
        **({"mlflow.source.git.commit": facts.commit} if facts.commit else {}),
    }
    for kind, found in (("params", params), ("tags", tags)):
        for name, value in found.items():
            write_text(at / kind / _key(name), value, force=force)


def _statuses(run: Run) -> Mapping[str, int]:
    """Status of each cell: failed if a clip of it did, killed if one was not computed."""
    found: dict[str, int] = {}
    for row in run.cell_rows():
        own = {"done": _FINISHED, "failed": _FAILED}.get(row.status, _KILLED)
        known = found.get(row.cell, own)
        found[row.cell] = _FAILED if _FAILED in (known, own) else max(known, own)
    return found


def _metrics(run: Run) -> Mapping[str, Mapping[str, float]]:
    """Cell -> name -> number."""
    found: dict[str, dict[str, float]] = {}
    for cell, name, value in _numbers(run):
        if value is not None:
            found.setdefault(cell, {})[_key(name)] = value
    return found


def _numbers(run: Run) -> Iterator[tuple[str, str, float | None]]:
    for row in run.mean_rows():
        yield row.cell, row.metric, row.mean
        yield row.cell, f"{row.metric}.low", row.low
        yield row.cell, f"{row.metric}.high", row.high
    for cost in run.cost_rows():
        yield cost.cell, f"{'cost' if cost.machine else 'latency'}.{cost.name}", cost.value


def _key(name: str) -> str:
    """A name as MLflow takes it, which is a name of a file, too."""
    return re.sub(r"[^\w .-]+", "_", name).strip(". ") or "_"


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0


def _write_yaml(path: Path, values: Mapping[str, Any], force: bool) -> None:
    text = yaml.safe_dump(dict(values), sort_keys=True, allow_unicode=True)
    write_text(path, text, force=force)
