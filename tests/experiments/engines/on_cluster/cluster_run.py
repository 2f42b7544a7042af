"""Runs the tasks of ``cluster_works`` on a cluster: ADDRESS CLIPS STORE JOURNAL NUMBER SECONDS.

Prints ``done N`` after each task. Exit code 0 if none failed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cluster_works

from voicegraph.experiments.engines.engine import Limits
from voicegraph.experiments.engines.journal import Journal
from voicegraph.experiments.engines.ray import Ray
from voicegraph.experiments.engines.run_tasks import TaskRun
from voicegraph.experiments.store import Store


def main(address: str, clips: str, store: str, journal: str, number: str, seconds: str) -> int:
    tasks = cluster_works.tasks(Path(clips), int(number), float(seconds))
    run = TaskRun(
        tasks,
        Store(Path(store)),
        Ray(address),
        limits=Limits(task_seconds=2 * float(seconds)),
        journal=Journal(Path(journal)),
    )
    failed = 0
    for count, outcome in enumerate(run):
        failed += outcome.failure is not None
        print("done", count + 1, outcome.host, outcome.failure or "", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
