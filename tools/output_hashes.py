"""Proves that a change of the code changed no sample: hashes of outputs, before and after.

    python tools/output_hashes.py --work FOLDER before.json
    python tools/output_hashes.py --work FOLDER after.json --against before.json

The samples (never the files: their headers hold dates) of every output are hashed with SHA-256:
``demo``, ``run`` with each bundled pipeline on each recording, and a replay of a recorded
session. The figures of ``tools/parity.py`` are kept as printed. FOLDER keeps the model files and
the recorded session, so that a later call replays what an earlier version recorded. Hashes are
comparable on one machine with one set of packages and one number of threads only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parent.parent
BUNDLED = ROOT / "pipelines" / "audio" / "librispeech-8088-284756-0000.flac"
PIPELINES = ("world", "default", "default-live", "rvc", "rvc-file")
RECORDED_SECONDS = 4


def hash_samples(samples: np.ndarray) -> str:
    """SHA-256 of samples as float32 in machine order, and their shape."""
    values = np.ascontiguousarray(samples, dtype=np.float32)
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of the samples of a sound file."""
    samples, _ = soundfile.read(path, dtype="float32")
    return hash_samples(samples)


def _voicegraph(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "voicegraph", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _overrides(pipeline: str, models: Path) -> list[str]:
    if not pipeline.startswith("rvc"):
        return []
    files = {
        "vars.voice": "voice_v2_40k.pth",
        "vars.index": "added_v2.index",
        "assets.hubert": "hubert_base.safetensors",
    }
    return [part for key, name in files.items() for part in ("--set", f"{key}={models / name}")]


def _demo(work: Path) -> Iterator[tuple[str, str]]:
    _voicegraph("demo", work / "demo", "--no-picture", "--force")
    for path in sorted((work / "demo").glob("*.wav")):
        yield f"demo {path.stem}", hash_file(path)


def _runs(work: Path, recordings: list[Path]) -> Iterator[tuple[str, str]]:
    models = work / "models"
    if not models.exists():
        tool = ROOT / "tools" / "models.py"
        subprocess.run([sys.executable, str(tool), str(models), "--small"], check=True)
    for pipeline in PIPELINES:
        for recording in recordings:
            output = work / f"{pipeline}-{recording.stem}.wav"
            settings = _overrides(pipeline, models)
            _voicegraph("run", pipeline, recording, output, "--force", *settings)
            yield f"run {pipeline} {recording.stem}", hash_file(output)


def _replayed(work: Path) -> Iterator[tuple[str, str]]:
    """A session with a changed param, recorded once; replayed at every call."""
    from voicegraph import Pipeline, replay

    samples, rate = soundfile.read(BUNDLED, dtype="float32", frames=RECORDED_SECONDS * 16000)
    plan = Pipeline.load("world", {"vars.rate": rate}).compile()
    session_file = work / "session.jsonl"
    if not session_file.exists():
        with plan.session(record=session_file) as session:
            session.push(samples[: len(samples) // 2])
            session.set("pitch.transpose", 5)
            session.push(samples[len(samples) // 2 :])
    blocks = np.concatenate(list(replay(plan, session_file)), axis=-1)
    yield "replay world", hash_samples(blocks)


def _parity() -> Iterator[tuple[str, str]]:
    command = [sys.executable, str(ROOT / "tools" / "parity.py"), "--check"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        figure, _, what = line.partition("  of ")
        yield f"parity {what.partition('  ')[2]}", figure.strip()


def collect(work: Path, recordings: list[Path]) -> dict[str, str]:
    """All hashes and figures by name, printed as they come."""
    found: dict[str, str] = {}
    parts = (_demo(work), _runs(work, recordings), _replayed(work), _parity())
    for part in parts:
        for name, value in part:
            print(f"{value[:16]:16}  {name}", flush=True)
            found[name] = value
    return found


def compare(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """One line for each output that differs or is missing on one side.

    Raises:
        ValueError: if there is nothing to compare.
    """
    if not before or not after:
        raise ValueError("nothing to compare: one side holds no output")
    names = dict.fromkeys([*before, *after])
    return [
        f"{name}: {before.get(name, 'missing')} -> {after.get(name, 'missing')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def main() -> int:
    """The command line; 1 where an output differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("result", type=Path, help="the JSON file to write")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and outputs")
    parser.add_argument("--on", type=Path, action="append", help="a recording; may be repeated")
    parser.add_argument("--against", type=Path, help="an earlier result")
    chosen = parser.parse_args()
    before = None
    if chosen.against:
        if not chosen.against.is_file():
            parser.error(f"--against: there is no file {chosen.against}")
        before = json.loads(chosen.against.read_text(encoding="utf-8"))
    if missing := [str(path) for path in chosen.on or () if not path.is_file()]:
        parser.error(f"--on: there is no file {', '.join(missing)}")
    chosen.work.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("COLUMNS", "100")
    found = collect(chosen.work.resolve(), [BUNDLED, *(chosen.on or ())])
    chosen.result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if before is None:
        return 0
    differences = compare(before, found)
    print("\n".join(differences) or f"equal: {len(found)} outputs")
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
