"""``voicegraph sdk build``: the C library, its header, and all that programs are built with."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write
from voicegraph.graph.optional_packages import version_of

from ._compile_library import compile_library, require_tools
from ._compile_plugin import compile_plugin, require_plugin_tools
from ._library_source import write_source
from .ladspa_table import Plugin

_HERE = Path(__file__).parent
_COPIED = ("include", "hosts", "libtorch")
_TEMPLATES = {
    "README.md": "README.md",
    "voicegraph.pc": "lib/pkgconfig/voicegraph.pc",
    "voicegraph-config.cmake": "lib/cmake/voicegraph/voicegraph-config.cmake",
    "voicegraph-config-version.cmake": "lib/cmake/voicegraph/voicegraph-config-version.cmake",
}
"""File in ``templates`` -> its place."""
LIBRARIES = {"win32": "bin/voicegraph.dll", "darwin": "lib/libvoicegraph.dylib"}
_LIBRARY = "lib/libvoicegraph.so"
_WINDOWS_NOTE = """
On Windows, programs find `voicegraph.dll` and `@PYTHON_DLL@` beside them or on the PATH: copy
`bin/voicegraph.dll` and `@PYTHON_FOLDER@\\@PYTHON_DLL@` to the program's folder.
"""


@dataclass(frozen=True, slots=True)
class SdkBuild:
    """What was built.

    Attributes:
        folder: where it is.
        library: the library.
        files: all files, relative to the folder.
        plugins: labels of the LADSPA plug-ins.
    """

    folder: Path
    library: Path
    files: tuple[str, ...]
    plugins: tuple[str, ...] = ()


def library_name(platform: str = sys.platform) -> str:
    """The library's place in the folder."""
    return LIBRARIES.get(platform, _LIBRARY)


def build_sdk(folder: Path, force: bool = False, plugins: Sequence[Plugin] = ()) -> SdkBuild:
    """Builds the library, and puts everything into a folder when all of it is complete.

    Args:
        folder: where to; made if it is missing.
        force: replace files that are there; others stay.
        plugins: pipelines that become LADSPA plug-ins.

    Raises:
        OutputError: if the folder has files and ``force`` is not set, or cannot be written.
        VoicegraphError: if a compiler, cffi or Python's own library is missing, or compiling fails.
    """
    _require_room(folder, force)
    require_tools()
    if plugins:
        require_plugin_tools()
    with tempfile.TemporaryDirectory(prefix="voicegraph-sdk-") as name:
        made = Path(name)
        for part in (*_COPIED, *(["ladspa"] if plugins else [])):
            shutil.copytree(_HERE / part, made / part, ignore=shutil.ignore_patterns("__*"))
        source = made / "src" / "voicegraph.c"
        write_source(source)
        compile_library(source, made / library_name())
        if plugins:
            compile_plugin(made, made / library_name(), plugins)
        for template, place in _TEMPLATES.items():
            _fill(_HERE / "templates" / template, made / place)
        files = sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file())
        _move(made, folder, files)
    labels = tuple(plugin.label for plugin in plugins)
    return SdkBuild(folder, folder / library_name(), tuple(files), labels)


def _require_room(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        text = f"{folder} is a file; expected the name of a folder"
        raise OutputError(Problem("not-a-folder", text, fix="give another name"))
    if folder.is_dir() and any(folder.iterdir()) and not force:
        text = f"{folder} is not empty"
        raise OutputError(Problem("exists", text, fix="give another folder, or --force"))


def _fill(template: Path, target: Path) -> None:
    python = sysconfig.get_python_version()
    note = _WINDOWS_NOTE if sys.platform == "win32" else ""
    values = {
        "SYSTEM_NOTE": note,
        "VERSION": version_of("voicegraph") or "0",
        "LIBRARY": library_name(),
        "PYTHON": sys.executable,
        "PYTHON_VERSION": sys.version.split()[0],
        "PYTHON_MINOR": python,
        "PYTHON_DLL": f"python{python.replace('.', '')}.dll",
        "PYTHON_FOLDER": sys.base_prefix,
    }
    text = template.read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _move(made: Path, folder: Path, files: list[str]) -> None:
    """Moves the complete files to their place, the library last."""
    order = sorted(files, key=lambda name: name == library_name())
    try:
        for name in order:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.part")
            shutil.copyfile(made / name, part)
            part.replace(target)  # a program that has the old library loaded keeps it
    except OSError as error:
        raise cannot_write(folder, error) from None
