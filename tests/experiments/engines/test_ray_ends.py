"""How Ray says that a process ended, and what that means. The texts are Ray's (2.60)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from voicegraph.experiments.engines._ray_cluster import ProcessEndedError, RayCluster, WorkerError

KILLED = (
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker "
    "exit detail: Worker unexpectedly exits with a connection error code 2. End of file. Some "
    "common causes include: (1) the process was killed by the OOM killer due to high memory usage"
)
NO_MEMORY = "its worker process has died. Worker exit type: NODE_OUT_OF_MEMORY"


class RayError(Exception):
    """As Ray's."""


class RayTaskError(RayError):
    """As Ray's."""

    cause = ValueError("wrong")


def cluster(error: Exception) -> RayCluster:
    """A cluster whose answer is an exception."""

    def get(reference: object, timeout: float) -> object:
        raise error

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
    made = RayCluster.__new__(RayCluster)
    made._ray = SimpleNamespace(get=get, exceptions=exceptions)  # pyright: ignore[reportAttributeAccessIssue]
    return made


@pytest.mark.parametrize(
    ("text", "out_of_memory"), [(KILLED, False), (NO_MEMORY, True)], ids=["killed", "memory"]
)
def test_a_killed_process_is_not_one_that_ran_out_of_memory(text: str, out_of_memory: bool) -> None:
    with pytest.raises(ProcessEndedError) as caught:
        cluster(RayError(text)).value(None)
    assert caught.value.out_of_memory is out_of_memory


def test_an_exception_of_our_own_code_is_told_by_name() -> None:
    with pytest.raises(WorkerError, match="ValueError: wrong"):
        cluster(RayTaskError()).value(None)
