"""Packages that plug-ins need: which are missing, and the command that installs them."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

from voicegraph.graph.errors import Problem
from voicegraph.graph.optional_packages import is_installed, pip_install, satisfies, version_of

from .metric import Need


def missing(who: str, needs: Iterable[Need]) -> Problem | None:
    """The problem that packages are not installed, or in another version; None if all are there.

    Nothing is imported.

    Args:
        who: the subject of the message, such as ``the observer quality.dnsmos``.
        needs: its packages.
    """
    wanted = [need for need in needs if not _there(need)]
    if not wanted:
        return None
    verb = "is" if len(wanted) == 1 else "are"
    names = " and ".join(need.package + need.version for need in wanted)
    found = [
        (f"installed: {need.package} {version_of(need.package)}", None)
        for need in wanted
        if is_installed(need.module)
    ]
    text = f"{who} needs {names}, which {verb} not installed"
    return Problem("missing-package", text, notes=tuple(found), fix=install_command(wanted))


def install_command(needs: Iterable[Need]) -> str:
    """The commands that install packages, one a line; some without what they depend on."""
    groups: dict[bool, list[str]] = {}
    for need in needs:
        groups.setdefault(need.alone, []).append(need.package + need.version)
    lines = (
        pip_install(*(["--no-deps"] if alone else []), *sorted(set(names)))
        for alone, names in sorted(groups.items())
    )
    return "\n".join(lines)


def package_folder(module: str) -> Path:
    """The folder of an installed module, without importing it.

    Raises:
        FileNotFoundError: if it is not installed.
    """
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"{module} is not installed")
    return Path(found.submodule_search_locations[0])


def weights_of(needs: Iterable[Need]) -> dict[str, str]:
    """SHA-256 of the weights in installed packages, by ``module/path`` with forward slashes.

    Those of packages that are not installed, or that lack the file, are left out.
    """
    found: dict[str, str] = {}
    for need in needs:
        if need.weights and is_installed(need.module):
            home = package_folder(need.module)
            for path in sorted(_files(home, need.weights)):
                name = f"{need.module}/{path.relative_to(home).as_posix()}"
                found[name] = _sha256(path, path.stat().st_mtime_ns)
    return found


def _files(home: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        path = home / name
        yield from (p for p in path.rglob("*") if p.is_file()) if path.is_dir() else ()
        if path.is_file():
            yield path


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, changed_ns: int) -> str:
    """Of a file; the time of its last change tells versions of it apart."""
    del changed_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _there(need: Need) -> bool:
    if not is_installed(need.module):
        return False
    version = version_of(need.package)
    return version is None or satisfies(version, need.version)
