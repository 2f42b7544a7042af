"""Compiles the LADSPA plug-in for the pipelines of its table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError

from ._compiler import compiler, environment_words, run_compiler, uses_msvc
from .ladspa_table import Plugin, plugin_table

PLUGIN = "ladspa/voicegraph_ladspa.so"
_SOURCE, _TABLE = "ladspa/voicegraph_ladspa.c", "ladspa/pipelines.h"
_FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared")


def require_plugin_tools() -> None:
    """Checks that the plug-in can be compiled.

    Raises:
        VoicegraphError: with what is missing.
    """
    if uses_msvc():
        text = "LADSPA plug-ins are compiled by GCC or Clang"
        fix = "set CC, for example to x86_64-w64-mingw32-gcc"
        raise VoicegraphError(Problem("no-compiler", text, fix=fix))
    command = [*compiler(), *environment_words("CFLAGS"), "-E", "-x", "c", "-"]
    source = b"#include <ladspa.h>\n"
    if subprocess.run(command, input=source, capture_output=True, check=False).returncode:
        text = "--ladspa needs the header ladspa.h, and the compiler does not find it"
        fix = "apt install ladspa-sdk, or that of your system; or CFLAGS=-I and its folder"
        raise VoicegraphError(Problem("no-ladspa", text, fix=fix))


def compile_plugin(folder: Path, library: Path, plugins: Sequence[Plugin]) -> None:
    """Writes the table of plug-ins, and compiles the plug-in beside it.

    Args:
        folder: that of the SDK, with ``include`` and ``ladspa``.
        library: the C library in it.
        plugins: the pipelines.

    Raises:
        VoicegraphError: if the compiler fails.
    """
    (folder / _TABLE).write_text(plugin_table(plugins), encoding="ascii")
    beside = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
    run_compiler(
        [
            *(*compiler(), *_FLAGS, *environment_words("CFLAGS"), f"-I{folder / 'include'}"),
            *(str(folder / _SOURCE), "-o", str(folder / PLUGIN), *environment_words("LDFLAGS")),
            *(str(library), "-lpthread", f"-Wl,-rpath,{beside}/../lib"),
        ]
    )
