"""Two machines on one: network namespaces A and B with a cable between them, a Ray node in each.

B sees neither the recordings nor the store: empty file systems lie over both. Nodes are started in
process groups of their own and ended by these; ``ray stop`` would end those of others, too.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

HEAD, OTHER = "10.77.0.1", "10.77.0.2"
_CABLE = "cable"
_QUICK_CHECKS = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}


def why_not() -> str | None:
    """Why there cannot be two machines here; None if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need root on Linux"
    if missing := [tool for tool in ("ip", "unshare", "setsid") if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not installed (iproute2, util-linux)"
    made = subprocess.run(["ip", "netns", "add", "vg-try"], check=False, capture_output=True)
    if made.returncode:
        return f"no network namespaces here: {made.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "del", "vg-try"], check=True)
    return None


class TwoMachines:
    """The machines.

    Args:
        folder: for what the nodes print.
        hidden: folders that B does not see.
        path: additional folders of modules, for all.
        quick: whether Ray checks its nodes every second, instead of by its defaults.

    Attributes:
        address: of the cluster, as seen from A.
        token: environment variables that let a driver in.
        env: environment variables of the nodes.
    """

    def __init__(
        self, folder: Path, hidden: Sequence[Path], path: Sequence[Path], *, quick: bool
    ) -> None:
        self.folder = folder
        # Ray looks at all processes of a machine, and starts no second head at one address.
        self._port = 20_000 + os.getpid() % 10_000
        self.address = f"{HEAD}:{self._port}"
        self._hidden = hidden
        python = os.pathsep.join([*map(str, path), os.environ.get("PYTHONPATH", "")])
        self.token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.env = {
            **os.environ,
            "PYTHONPATH": python,
            "RAY_USAGE_STATS_ENABLED": "0",
            **self.token,
            **(_QUICK_CHECKS if quick else {}),
        }
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._ray = Path(tempfile.mkdtemp(prefix="vg-", dir="/tmp"))  # names of sockets are short

    def __enter__(self) -> TwoMachines:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        a, b = self.space("a"), self.space("b")
        for line in (
            f"ip netns add {a}",
            f"ip netns add {b}",
            f"ip link add {_CABLE} netns {a} type veth peer name {_CABLE} netns {b}",
            f"ip -n {a} addr add {HEAD}/24 dev {_CABLE}",
            f"ip -n {b} addr add {OTHER}/24 dev {_CABLE}",
            *(f"ip -n {space} link set {end} up" for space in (a, b) for end in ("lo", _CABLE)),
        ):
            subprocess.run(line.split(), check=True)
        self._start(
            "a", f"--head --port={self._port} --node-ip-address={HEAD} --temp-dir={self._ray}"
        )
        self._start("b", f"--address={self.address} --node-ip-address={OTHER}")

    def __exit__(self, *_: object) -> None:
        for node in "ba":
            self.kill(node)
        self._clear()
        shutil.rmtree(self._ray, ignore_errors=True)

    def _start(self, machine: str, options: str) -> None:
        ray = f"{sys.executable} -m ray.scripts.scripts start --block --num-cpus=1"
        hide = "".join(f"mount -t tmpfs none {path}; " for path in self._hidden)
        env = {**self.env, "VOICEGRAPH_CLUSTER_CACHE": str(self.folder / f"cache-{machine}")}
        line = (
            f"{hide if machine == 'b' else ''}exec {ray} {options} --object-store-memory=100000000"
        )
        with (self.folder / f"node-{machine}.log").open("wb") as log:
            self._nodes[machine] = subprocess.Popen(
                ["ip", "netns", "exec", self.space(machine), "unshare", "-m", "sh", "-c", line],
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        self._wait_until_started(machine)

    def _wait_until_started(self, machine: str) -> None:
        log = self.folder / f"node-{machine}.log"
        until = monotonic() + 120.0
        while "Ray runtime started" not in log.read_text(errors="replace"):
            if monotonic() > until or self._nodes[machine].poll() is not None:
                raise RuntimeError(f"node {machine} does not start:\n{log.read_text()}")
            sleep(0.2)

    def space(self, machine: str) -> str:
        """Name of a machine's namespace."""
        return f"vg-{os.getpid()}-{machine}"

    def command(self, *words: str) -> list[str]:
        """A command line that runs on A."""
        return ["ip", "netns", "exec", self.space("a"), *words]

    def kill(self, machine: str) -> None:
        """Ends a machine's node and everything that it started, at once."""
        node = self._nodes.pop(machine, None)
        if node is not None:
            with suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()
        # Ray gives its workers process groups of their own; all of them are in the namespace.
        found = subprocess.run(
            ["ip", "netns", "pids", self.space(machine)],
            check=False,
            capture_output=True,
            text=True,
        )
        for pid in found.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def pull_cable(self) -> None:
        """Cuts B off; its processes go on."""
        subprocess.run(["ip", "-n", self.space("b"), "link", "set", _CABLE, "down"], check=True)

    def _clear(self) -> None:
        for machine in "ab":
            subprocess.run(
                ["ip", "netns", "del", self.space(machine)], check=False, capture_output=True
            )
