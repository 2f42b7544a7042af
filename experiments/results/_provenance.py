"""Where results come from: the code, packages and machines that made them."""

from __future__ import annotations

import hashlib
import platform
import socket
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from voicegraph.graph.machine import cores, cpu_model, memory_bytes, system
from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.experiment_manifest import MachineFacts

_TIMEOUT_S = 20


def commit() -> tuple[str | None, str | None]:
    """Commit of the repository that voicegraph runs from, and SHA-256 of the changes since it.

    Untracked files of the repository count by name and contents. None without a repository, or
    without git; None for the changes if there are none.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return None, None
    changed = hashlib.sha256()
    difference = _git(root, "diff", "HEAD", "--binary") or b""
    changed.update(difference)
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or b""
    names = sorted(filter(None, untracked.split(b"\0")))
    for name in names:
        path = root / name.decode("utf-8", "surrogateescape")
        if path.is_file():
            changed.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    dirty = changed.hexdigest() if difference or names else None
    return head.decode().strip(), dirty


def _git(root: Path, *arguments: str) -> bytes | None:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            check=True,
            capture_output=True,
            timeout=_TIMEOUT_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def packages(more: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python, of what voicegraph requires, its extras included, and of ``more``.

    Packages that are not installed are left out.
    """
    try:
        listed = metadata.requires("voicegraph") or []
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        listed = []
    names = {_name(line) for line in listed} | set(more)
    found = {name: version for name in sorted(names) if (version := version_of(name))}
    return {"python": platform.python_version(), **found}


def _name(requirement: str) -> str:
    """``numpy`` of ``numpy>=1.26; extra == "x"``."""
    end = next(
        (i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), len(requirement)
    )
    return requirement[:end].lower().replace("_", "-")


def version() -> str:
    """Version of voicegraph."""
    return version_of("voicegraph") or "unknown"


def machines(hosts: Iterable[str]) -> tuple[MachineFacts, ...]:
    """This machine with its facts, then the other machines on which tasks ran, by name."""
    here = socket.gethostname()
    memory = memory_bytes()
    own = MachineFacts(
        host=here,
        processor=cpu_model(),
        cores=cores(),
        memory_mb=round((memory or 0) / 2**20, 1),
        system=system(),
    )
    others = sorted({host for host in hosts if host and host != here})
    return (own, *(MachineFacts(host=host) for host in others))
