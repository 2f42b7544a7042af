"""Which cluster: addresses, and why it cannot be joined."""

from __future__ import annotations

import re
import socket
import textwrap

from voicegraph.graph.errors import DeviceError, PipelineError, Problem, VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package

LOCAL = "local"
"""A cluster of our own on this machine, which ends with the run."""
AUTO = "auto"
"""The cluster of which this machine is a node."""
_ANSWERS_S = 5.0


def require_ray() -> None:
    """Checks that Ray is installed.

    Raises:
        PipelineError: with the command that installs it.
    """
    if not is_installed("ray"):
        instead = "--workers N: all cores of this machine, without it"
        raise PipelineError(missing_package("--ray", "ray", extra="cluster", instead=instead))


def require_address(address: str) -> None:
    """Checks an address, and that somebody answers there.

    Raises:
        PipelineError: if it is none.
        DeviceError: if nobody answers.
    """
    if address in (LOCAL, AUTO):
        return
    found = re.fullmatch(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})", address)
    if found is None or not 0 < int(found["port"]) < 65536:
        text = f"{address!r} is no address of a cluster: expected local, auto or HOST:PORT"
        fix = "--ray local (this machine), --ray auto (its cluster) or --ray HOST:6379"
        raise PipelineError(Problem("ray-address", text, fix=fix))
    try:
        target = (found["host"].strip("[]"), int(found["port"]))
        socket.create_connection(target, timeout=_ANSWERS_S).close()
    except OSError as error:
        text = f"no Ray cluster answers at {address}: {error.strerror or error}"
        fix = f"on that machine: ray start --head --port={found['port']}"
        raise DeviceError(Problem("no-cluster", text, fix=fix)) from None


def connection_problem(address: str, error: Exception) -> VoicegraphError:
    """Why Ray could not join a cluster, with what to do."""
    text = textwrap.shorten(str(error), 300)
    if "ersion mismatch" in text:
        fix = "install the cluster's versions of Python and Ray here, or ours on all its machines"
        return PipelineError(Problem("worker-version", f"the cluster is refused: {text}", fix=fix))
    if type(error).__name__ == "AuthenticationError":
        message = f"the cluster at {address} asks for a token"
        fix = (
            "RAY_AUTH_MODE=token before the command\n"
            "the token lies in ~/.ray/auth_token of the cluster's head: copy it here"
        )
        return DeviceError(Problem("cluster-token", message, fix=fix))
    if address == LOCAL:
        message = f"Ray cannot start on this machine: {text}"
        fix = "--workers N: all cores of this machine, without Ray"
        return DeviceError(Problem("no-cluster", message, fix=fix))
    if address == AUTO:
        message = "this machine is no node of a running Ray cluster"
        fix = "ray start --head, or ray start --address=HOST:6379\nor --ray local"
        return DeviceError(Problem("no-cluster", message, notes=((text, None),), fix=fix))
    message = f"the cluster at {address} cannot be joined from this machine"
    fix = (
        f"ray start --address={address} --num-cpus=0\n"
        "here first: it makes this machine a node, which computes nothing itself"
    )
    return DeviceError(Problem("no-cluster", message, notes=((text, None),), fix=fix))
