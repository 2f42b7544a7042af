"""What a machine with a GPU is asked: ``python tools/check.py gpu``, under eight minutes, one JSON.

Sections: the CUDA tests; parity of the voice and encoder against the CPU, in float32 and float16;
mixed placement (encoder and voice on the GPU, F0 and retrieval on the CPU); benchmarks of ``rvc``
and ``rvc-live`` with 1 and 8 streams. Each runs in a process of its own with a time limit, so that
one that crashes or hangs fails alone. Kernels are launched one by one: capturing a lane as a CUDA
graph is not implemented.

    python tools/gpu.py                       # the report, on the standard output and in gpu.json
    python tools/gpu.py --models FOLDER       # with the files of tools/models.py; else small ones
    python tools/gpu.py --only parity         # one section

Exit codes: 0 all passed, 1 a section failed, 3 there is no GPU that PyTorch can use.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from link import link

ROOT = Path(__file__).resolve().parent.parent
NO_GPU = 3
LIMITS_S = {"tests": 150, "parity": 80, "mixed": 50, "bench rvc": 80, "bench rvc-live": 80}
"""Sections and their time limits in seconds, 440 together; 40 more make the small models."""
_CUDA_TESTS = ("tests/nodes", "tests/graph/runtime/test_device_placement.py")
"""Where tests with ``cuda`` or ``gpu`` in their names are, with the conformance of every node."""
LEAST_SNR_DB = {"float32": 60.0, "float16": 25.0}
"""Against float32 on the CPU, of the whole chain: float32 differs in the order of sums only, and
half precision keeps 11 bits in every product."""
DEVICE = "cuda"
_NO_GRAPHS = "not implemented: kernels are launched one by one"
_SECONDS = 2.0
_BLOCKS = 40


def overrides(folder: Path, device: str, dtype: str) -> dict[str, Any]:
    """The chain with a voice, its index and an encoder from ``tools/models.py``."""
    encoder = next(folder.glob("hubert_base.*"))
    return {
        "vars.voice": str(folder / "voice_v2_48k.pth"),
        "vars.index": str(folder / "added_v2.index"),
        "assets.hubert": str(encoder),
        "vars.device": device,
        "vars.dtype": dtype,
    }


def run_chain(name: str, given: dict[str, Any]) -> Any:
    """The output of a pipeline for some seconds of recorded speech, and its plan."""
    from voicegraph.graph.files.sound import bundled_recording
    from voicegraph.graph.pipeline import Pipeline

    plan = Pipeline.load(name, given).compile()
    speech = bundled_recording.speech(plan.source)
    with plan.session(workers=False, write_files=False) as session:
        count = int(_SECONDS / plan.block) * plan.samples_in
        return session.push(speech[:, :count]), plan


def snr_db(found: Any, expected: Any) -> float | None:
    """Signal against difference in dB; None if they are the same."""
    import numpy as np

    error = float(np.square(found - expected).sum())
    return None if error == 0 else float(10 * np.log10(np.square(expected).sum() / error))


# ---- sections: each returns its part of the report -----------------------------------------------


def tests(_: Path) -> dict[str, Any]:
    """The tests that are skipped without a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-k", "cuda or gpu"]
    done = subprocess.run(
        [*command, *_CUDA_TESTS], cwd=ROOT, check=False, capture_output=True, text=True
    )
    summary = done.stdout.strip().splitlines()[-1:] or [done.stderr.strip()[-200:]]
    return {"passed": done.returncode == 0, "summary": summary[0]}


def parity(folder: Path) -> dict[str, Any]:
    """``rvc`` on the GPU against the CPU."""
    expected, _ = run_chain("rvc", overrides(folder, "cpu", "float32"))
    rows = {}
    for dtype, least in LEAST_SNR_DB.items():
        found, _ = run_chain("rvc", overrides(folder, DEVICE, dtype))
        snr = snr_db(found, expected)
        rows[dtype] = {"snr_db": snr, "least_db": least, "passed": snr is None or snr >= least}
    return {"passed": all(row["passed"] for row in rows.values()), "against_cpu": rows}


def mixed(folder: Path) -> dict[str, Any]:
    """Encoder and voice on the GPU, F0 and retrieval on the CPU: values move between them."""
    found, plan = run_chain("rvc", overrides(folder, DEVICE, "float32"))
    devices = {planned.name: planned.device for planned in plan.nodes}
    copies = sum(link.copied for planned in plan.nodes for link in planned.inputs.values())
    on = {name: devices.get(name) for name in ("content", "voice", "f0", "retrieval")}
    wanted = {"content": "cuda", "voice": "cuda", "f0": "cpu", "retrieval": "cpu"}
    loud = float(abs(found).max())
    return {"passed": on == wanted and copies > 0 and loud > 0, "devices": on, "copies": copies}


def bench(name: str) -> Callable[[Path], dict[str, Any]]:
    """Benchmarks of a bundled pipeline: both precisions, 1 and 8 streams."""

    def run(folder: Path) -> dict[str, Any]:
        from voicegraph.graph.metrics.benchmark import measure
        from voicegraph.graph.pipeline import Pipeline

        if not (ROOT / "pipelines" / f"{name}.yaml").exists():
            return {"passed": True, "skipped": f"there is no pipeline {name}"}
        rows = []
        for dtype in LEAST_SNR_DB:
            plan = Pipeline.load(name, overrides(folder, DEVICE, dtype)).compile()
            for streams in (1, 8):
                report = measure(plan, blocks=_BLOCKS, streams=streams)
                rows.append({"dtype": dtype, **report.model_dump(mode="json")})
        return {"passed": True, "graphs": _NO_GRAPHS, "runs": rows}

    return run


SECTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tests": tests,
    "parity": parity,
    "mixed": mixed,
    "bench rvc": bench("rvc"),
    "bench rvc-live": bench("rvc-live"),
}


# ---- the whole -----------------------------------------------------------------------------------


def machine() -> dict[str, Any] | None:
    """The first GPU; None if PyTorch can use none."""
    import torch

    if not torch.cuda.is_available():
        return None
    found = torch.cuda.get_device_properties(0)
    return {
        "name": found.name,
        "memory_bytes": found.total_memory,
        "capability": f"{found.major}.{found.minor}",
        "torch": torch.__version__,
        "cuda": torch.version.cuda or torch.version.hip,
    }


def section(name: str, folder: Path) -> dict[str, Any]:
    """One section in a process of its own: its part of the report, or how it failed."""
    begun = time.perf_counter()
    command = [sys.executable, str(Path(__file__)), "--section", name, "--models", str(folder)]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=LIMITS_S[name]
        )
    except subprocess.TimeoutExpired:
        return {"passed": False, "error": f"not done after {LIMITS_S[name]} s"}
    try:
        found = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (ValueError, IndexError):
        found = None
    if found is None:
        text = (done.stderr.strip() or done.stdout.strip() or "nothing was written")[-2000:]
        found = {"passed": False, "error": f"exit code {done.returncode}: {text}"}
    return {**found, "seconds": round(time.perf_counter() - begun, 1)}


def gpu(models: Path | None = None, into: Path | None = None, only: str | None = None) -> int:
    """Runs the sections, and writes the report.

    Args:
        models: folder of ``tools/models.py``; None makes small ones.
        into: the file of the report; None: ``gpu.json`` here.
        only: one section; None: all.

    Returns:
        The exit code.
    """
    found = machine()
    if found is None:
        print("no GPU that PyTorch can use: nothing was run on one", file=sys.stderr)
        return NO_GPU
    with tempfile.TemporaryDirectory() as temporary:
        folder = models or Path(temporary)
        if models is None:
            made = [sys.executable, str(ROOT / "tools" / "models.py"), str(folder), "--small"]
            subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        report: dict[str, Any] = {
            "gpu": found,
            "models": "small" if models is None else str(models),
            "sections": {},
        }
        for name in SECTIONS if only is None else (only,):
            print(f"--- {name}", file=sys.stderr, flush=True)
            report["sections"][name] = part = section(name, folder)
            outcome = part.get("skipped") or part.get("error") or part.get("summary") or ""
            print(f"    {'ok' if part['passed'] else 'FAILED'} {outcome}", file=sys.stderr)
    text = json.dumps(report, indent=2)
    print(text)
    (into or Path("gpu.json")).write_text(text + "\n", encoding="utf-8")
    return 0 if all(part["passed"] for part in report["sections"].values()) else 1


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="What a machine with a GPU is asked.")
    parser.add_argument("--models", type=Path, help="folder that tools/models.py wrote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the report (gpu.json)")
    parser.add_argument("--only", choices=SECTIONS, help="one section")
    parser.add_argument("--section", choices=SECTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.models is not None and not (given.models / "added_v2.index").exists():
        fix = f"python tools/models.py {given.models}"
        parser.error(f"{given.models} holds no models of tools/models.py\n  fix: {fix}")
    link(ROOT)
    sys.path.insert(0, str(ROOT / ".dev"))
    if given.section is not None:
        if given.models is None:
            parser.error("--section needs --models")
        print(json.dumps(SECTIONS[given.section](given.models)))
        return 0
    return gpu(given.models, given.json, given.only)


if __name__ == "__main__":
    sys.exit(main())
