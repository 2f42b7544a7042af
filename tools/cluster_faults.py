"""What a run on two machines does when one of them fails; on Linux, as root.

    python tools/cluster_faults.py --times 5
    python tools/cluster_faults.py --fault cable --clips SPEECH --set clips.draw.speakers=4

The machines are network namespaces with a cable between them and a node of Ray in each
(``two_machines.py``). The second one sees neither the recordings nor the store. An experiment is
run in one process, and then, for each fault and time, by ``voicegraph experiment run --ray`` on
both machines; after a third of the results the second one is killed, or its cable is pulled. A line
a run is printed: seconds from the fault until the machine was given up and until everything was
there, results that were computed twice, and whether ``values.csv`` has the same bytes as that of
one process.

Exit code 1 if a run was not complete, not equal, or later than ``--latest``; 3 if there cannot be
two machines here.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep, time
from typing import Any

from two_machines import OTHER, TwoMachines, why_not

ROOT = Path(__file__).resolve().parent.parent
FAULTS = ("killed", "cable")
EXPERIMENT = """\
version: 1
description: what is run on machines that fail
nodes: [waits.py]
clips: {{files: "{clips}", speaker: "{{stem.split('-')[0]}}", cut: {{seconds: [2, 3], at: pause}}}}
pipeline: ./waits.yaml
factors:
  gain: {{set: nodes.gain.params.db, values: [-9, -6, -3, 0]}}
  noise: {{white10: {{noise: white, snr: 10}}, pink10: {{noise: pink, snr: 10}}}}
seeds: [1, 2, 3, 4, 5, 6, 7, 8]
metrics: [level]
"""
PIPELINE = """\
block: 100ms
input: {rate: 16000}
nodes:
  waits: {use: tool.waits, in: input}
  gain: {use: dsp.gain, in: waits}
output: gain
"""
NODE = """\
import time

from voicegraph.graph import Audio, In, Node, NodeParams, Out, register


@register("tool.waits")
class Waits(Node[NodeParams, None]):
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs, params, state):
        time.sleep(0.04)
        return {"out": inputs["audio"]}
"""
"""Takes about a second a clip, and hardly any computing: what is tried out is the cluster."""
_HEAD = ("fault", "exit", "lost after", "complete after", "done", "on B before", "twice", "equal")


@dataclass(frozen=True)
class Result:
    """A run with a fault. Times are in seconds after it."""

    fault: str
    code: int | None
    lost_s: float | None
    ended_s: float
    done: int
    others: int
    twice: int
    equal: bool

    def line(self) -> str:
        """One row of the table."""
        lost = "-" if self.lost_s is None else f"{self.lost_s:.1f} s"
        code = "late" if self.code is None else str(self.code)
        counts = self.done, self.others, self.twice
        return _row(
            self.fault, code, lost, f"{self.ended_s:.1f} s", *map(str, counts), str(self.equal)
        )

    def passes(self, latest_s: float) -> bool:
        """Whether nothing is missing or other than in one process, in time.

        A machine that did nothing before its fault tells nothing.
        """
        return self.code == 0 and self.equal and self.others > 0 and self.ended_s <= latest_s


class Journal:
    """The journal of a run's folder, as it grows."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of one event; a last line that is not whole yet is left out."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line for line in found if line["event"] == name]

    def done(self) -> Counter[str]:
        """How often each result was computed."""
        return Counter(line["key"] for line in self.events("done") if line["kind"] != "page")

    def on_other(self) -> int:
        """Results that came from the second machine."""
        return sum(OTHER in line["host"] for line in self.events("done"))


def _row(*entries: str) -> str:
    return "".join(f"{entry:<{len(name) + 2}}" for entry, name in zip(entries, _HEAD, strict=True))


def _run(file: Path, out: Path, sets: Sequence[str], *more: str) -> list[str]:
    words = ["experiment", "run", str(file), "--out", str(out), "--format", "csv", *more]
    given = [part for text in [*sets, f"store={out / 'store'}"] for part in ("--set", text)]
    return [sys.executable, "-m", "voicegraph", *words, *given]


def one_process(file: Path, folder: Path, sets: Sequence[str]) -> tuple[Path, int]:
    """Runs the experiment without a cluster: its values, and the number of its results.

    Raises:
        CalledProcessError: if it fails.
    """
    out = folder / "one-process"
    subprocess.run(_run(file, out, sets, "--workers", "1"), check=True, stdout=subprocess.DEVNULL)
    return out / "values.csv", len(Journal(out).done())


def with_fault(
    fault: str, file: Path, folder: Path, options: argparse.Namespace, reference: tuple[Path, int]
) -> Result:
    """Runs the experiment on two machines, of which the second one fails."""
    values, total = reference
    out = folder / "run"
    (out / "store").mkdir(parents=True)
    journal = Journal(out)
    hidden = [options.clips.resolve(), out / "store"]
    with (
        TwoMachines(folder, hidden, [], quick=False) as machines,
        (folder / "run.log").open("wb") as log,
    ):
        words = _run(file, out, options.set, "--ray", machines.address)
        env = {**os.environ, **machines.env}
        run = subprocess.Popen(machines.command(*words), env=env, stdout=log, stderr=log)
        while run.poll() is None and (len(journal.done()) < total / 3 or not journal.on_other()):
            sleep(0.1)
        others, cut = journal.on_other(), time()
        machines.kill("b") if fault == "killed" else machines.pull_cable()
        try:
            code = run.wait(timeout=options.latest)
        except subprocess.TimeoutExpired:
            run.kill()
            code = None
        ended = time() - cut
    done = journal.done()
    lost = [_seconds(line) - cut for line in journal.events("lost")]
    equal = (out / "values.csv").exists() and filecmp.cmp(values, out / "values.csv", shallow=False)
    twice = sum(count > 1 for count in done.values())
    return Result(fault, code, min(lost, default=None), ended, len(done), others, twice, equal)


def _seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs all faults; see the module's text for the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nodes are ended by `with`
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 3
    work = Path(tempfile.mkdtemp(prefix="cluster-faults-"))
    if options.clips is None:  # a copy: the package itself must look the same on both machines
        options.clips = shutil.copytree(ROOT / "pipelines" / "audio", work / "clips")
    file = options.file or _own_experiment(work, options.clips)
    reference = one_process(file, work, options.set)
    print(f"{reference[1]} results in one process", flush=True)
    print(_row(*_HEAD), flush=True)
    passed = True
    for time_ in range(options.times):
        for fault in options.fault or FAULTS:
            folder = work / f"{fault}-{time_}"
            folder.mkdir()
            result = with_fault(fault, file, folder, options, reference)
            print(result.line(), flush=True)
            passed &= result.passes(options.latest)
    if passed and not options.keep:
        shutil.rmtree(work)
    else:
        print(f"logs and journals: {work}")
    return 0 if passed else 1


def _own_experiment(folder: Path, clips: Path) -> Path:
    file = folder / "experiment.yaml"
    file.write_text(EXPERIMENT.format(clips=clips.resolve().as_posix()), encoding="utf-8")
    (folder / "waits.yaml").write_text(PIPELINE, encoding="utf-8")
    (folder / "waits.py").write_text(NODE, encoding="utf-8")
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("file", nargs="?", type=Path, help="an experiment, instead of the tool's own")
    add("--clips", type=Path, metavar="FOLDER",
        help="recordings, which the second machine does not see (the bundled one)")  # fmt: skip
    add("--set", action="append", default=[], metavar="PATH=VALUE", help="as `experiment run`")
    add("--fault", action="append", choices=FAULTS, help="both, if not given")
    add("--times", type=int, default=1, help="of each fault (1)")
    add("--latest", type=float, default=240.0, metavar="SECONDS",
        help="a run that takes longer after its fault has failed (240)")  # fmt: skip
    add("--keep", action="store_true", help="keep logs and journals of runs that passed")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
