"""Library, hosts and plug-in compile and link for Windows, with MinGW-w64 of Debian."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from .conftest import HERE

TRIPLET = "x86_64-w64-mingw32"
_DATA = ("_Type", "Struct", "Error", "Exception")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers")


@pytest.fixture(scope="module")
def windows(sdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the SDK with ``bin/voicegraph.dll`` and ``lib/voicegraph.lib``."""
    if shutil.which(f"{TRIPLET}-gcc") is None:
        pytest.skip("no MinGW-w64: apt install gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64")
    folder = tmp_path_factory.mktemp("windows")
    for part in ("include", "hosts", "src"):
        shutil.copytree(sdk / part, folder / part)
    for part in ("bin", "lib"):
        (folder / part).mkdir()
    library = _compiled(folder, folder / "src" / "voicegraph.c", f"-I{_python_headers(folder)}")
    python = _import_library(folder, library)
    implib = f"-Wl,--out-implib,{folder / 'lib' / 'voicegraph.lib'}"
    _call("gcc", "-shared", library, python, implib, "-o", folder / "bin" / "voicegraph.dll")
    return folder


def _call(tool: str, *words: str | Path) -> str:
    command = [f"{TRIPLET}-{tool}", *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _compiled(folder: Path, source: Path, *words: str) -> Path:
    """The object file of a source."""
    cpp = source.suffix == ".cpp"
    target = folder / f"{source.name}.o"
    standard = "-std=c++17" if cpp else "-std=gnu99"
    include = f"-I{folder / 'include'}"
    _call("g++" if cpp else "gcc", standard, *WARNINGS, include, *words, "-c", source, "-o", target)
    return target


def _python_headers(folder: Path) -> Path:
    """Python's headers with what is different on Windows."""
    headers = folder / "python"
    shutil.copytree(sysconfig.get_paths()["include"], headers)
    (headers / "pyconfig.h").unlink()  # Debian's is a file that includes another one
    shutil.copyfile(HERE / "windows_pyconfig.h", headers / "pyconfig.h")
    return headers


def _import_library(folder: Path, library: Path) -> Path:
    """An import library of ``python3xx.dll`` with the functions that an object file needs."""
    wanted = [line.split()[-1] for line in _call("nm", "-u", library).splitlines()]
    names = [
        name.removeprefix("__imp_") for name in wanted if name.startswith(("__imp_Py", "__imp__Py"))
    ]
    assert "Py_InitializeFromConfig" in names
    kinds = [f"  {name}{' DATA' if name.endswith(_DATA) else ''}" for name in names]
    number = sysconfig.get_python_version().replace(".", "")
    definition = folder / "python.def"
    exports = "\n".join(kinds)
    definition.write_text(f"LIBRARY python{number}.dll\nEXPORTS\n{exports}\n", encoding="ascii")
    target = folder / "lib" / f"libpython{number}.a"
    _call("dlltool", "-d", definition, "-l", target)
    return target


def _exports(library: Path) -> set[str]:
    """The names in the export table of a DLL."""
    text = _call("objdump", "-p", library).partition("[Ordinal/Name Pointer] Table")[2]
    return {line.split()[-1] for line in text.splitlines() if line.strip().startswith("[")}


def _declared(folder: Path) -> set[str]:
    text = (folder / "include" / "voicegraph.h").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("VG_API ")]
    return {line.partition("(")[0].split()[-1].lstrip("*") for line in lines}


def test_dll_exports_the_functions_of_the_header_and_no_others(windows: Path) -> None:
    of_cffi = {"PyInit__voicegraph_library"}
    assert _exports(windows / "bin" / "voicegraph.dll") - of_cffi == _declared(windows)


@pytest.mark.parametrize("host", ["file_host.c", "rvc_host.c", "file_host.cpp"])
def test_hosts_link_with_the_import_library(windows: Path, host: str) -> None:
    program = windows / "bin" / f"{host}.exe"
    linker = "g++" if host.endswith(".cpp") else "gcc"
    made = _compiled(windows, windows / "hosts" / host)
    _call(linker, made, windows / "lib" / "voicegraph.lib", "-o", program)
    needed = _call("objdump", "-p", program)
    assert "DLL Name: voicegraph.dll" in needed


def test_plugin_exports_its_descriptors(windows: Path, ladspa: Path) -> None:
    made = _compiled(
        windows,
        ladspa.with_name("voicegraph_ladspa.c"),
        f"-I{ladspa.parent}",
        "-idirafter/usr/include",  # ladspa.h is the same on all systems
    )
    plugin = windows / "bin" / "voicegraph_ladspa.dll"
    _call("gcc", "-shared", made, windows / "lib" / "voicegraph.lib", "-lpthread", "-o", plugin)
    assert "ladspa_descriptor" in _exports(plugin)
