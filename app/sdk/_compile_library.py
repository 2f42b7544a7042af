"""Compiles the C library with the compiler of this machine."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError

from ._compiler import compiler, environment_words, run_compiler, uses_msvc

_FLAGS = ("-O2", "-fPIC", "-fvisibility=hidden", "-Wno-missing-field-initializers")
_LINUX_LINKS = ("-Wl,-z,nodelete", "-ldl", "-lpthread")
"""Plug-in hosts unload libraries: Python and PyTorch must stay."""
_INSTALL = {
    "darwin": "xcode-select --install",
    "win32": "install Build Tools for Visual Studio with C++",
}


def require_tools() -> None:
    """Checks that the library can be compiled: compiler, Python's headers and its shared library.

    Raises:
        VoicegraphError: with everything that is missing.
    """
    problems = [problem for problem in (_nocompiler(), _no_headers(), _no_library()) if problem]
    if problems:
        raise VoicegraphError(problems)


def compile_library(source: Path, target: Path) -> None:
    """Compiles a source into a shared library.

    ``CC``, ``CFLAGS`` and ``LDFLAGS`` of the environment are respected.

    Raises:
        VoicegraphError: if the compiler fails; has what it said.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if uses_msvc():
        _compile_with_msvc(source, target)
        return
    run_compiler(compile_command(source, target))


def compile_command(source: Path, target: Path) -> list[str]:
    """The command line of a compiler in the manner of GCC and Clang."""
    include = source.parent.parent / "include"
    command = [*compiler(), *_FLAGS, *environment_words("CFLAGS"), f"-I{include}"]
    command += [f"-I{path}" for path in _header_folders()]
    command += [str(source), "-o", str(target), *environment_words("LDFLAGS")]
    folder, name = _python_library()
    if sys.platform == "darwin":
        command += ["-dynamiclib", "-install_name", f"@rpath/{target.name}", str(folder / name)]
        return [*command, f"-Wl,-rpath,{folder}", "-Wl,-rpath,@loader_path"]
    if sys.platform == "win32":  # MinGW
        implib = target.parent.parent / "lib" / "voicegraph.lib"
        implib.parent.mkdir(parents=True, exist_ok=True)
        return [*command, "-shared", str(folder / name), f"-Wl,--out-implib,{implib}"]
    command += ["-shared", f"-Wl,-soname,{target.name}", f"-L{folder}", f"-l:{name}"]
    return [*command, f"-Wl,-rpath,{folder}", "-Wl,-rpath,$ORIGIN", *_LINUX_LINKS]


def _header_folders() -> list[Path]:
    paths = sysconfig.get_paths()
    return list(dict.fromkeys(Path(paths[name]) for name in ("include", "platinclude")))


def _python_library() -> tuple[Path, str]:
    """Folder and name of Python's shared library; the file may be missing."""
    if sys.platform == "win32":
        number = sysconfig.get_python_version().replace(".", "")
        return Path(sys.base_prefix) / "libs", f"python{number}.lib"
    folder = Path(sysconfig.get_config_var("LIBDIR") or "")
    names = [sysconfig.get_config_var(key) or "" for key in ("INSTSONAME", "LDLIBRARY")]
    framework = sysconfig.get_config_var("PYTHONFRAMEWORKPREFIX")
    folders = [folder, *([Path(framework)] if framework else []), Path(sys.base_prefix) / "lib"]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        folders.append(folder / multiarch)
    for name in names:
        for place in folders:
            if name and not name.endswith(".a") and (place / name).is_file():
                return place, name
    version = f"{sysconfig.get_python_version()}{getattr(sys, 'abiflags', '')}"
    return folder, f"libpython{version}.so"


def _nocompiler() -> Problem | None:
    if uses_msvc() or shutil.which(compiler()[0]) is not None:
        return None
    text = f"voicegraph sdk build needs a C compiler, and there is no {compiler()[0]}"
    fix = _INSTALL.get(sys.platform, "apt install gcc, or that of your system; or set CC")
    return Problem("no-compiler", text, fix=fix)


def _no_headers() -> Problem | None:
    if any((folder / "Python.h").is_file() for folder in _header_folders()):
        return None
    text = f"Python.h is missing in {_header_folders()[0]}: Python's headers are not installed"
    fix = f"apt install libpython{sysconfig.get_python_version()}-dev, or that of your system"
    return Problem("no-headers", text, fix=fix)


def _no_library() -> Problem | None:
    folder, name = _python_library()
    if (folder / name).is_file():
        return None
    text = f"{folder / name} is missing: a program in C runs Python from its shared library"
    fix = "use a Python that was built with --enable-shared, such as that of uv or conda"
    return Problem("no-shared-python", text, fix=fix)


def _compile_with_msvc(source: Path, target: Path) -> None:
    """Compiles with the compiler that setuptools finds."""
    from distutils.ccompiler import new_compiler  # pyright: ignore[reportMissingImports]
    from distutils.errors import (  # pyright: ignore[reportMissingImports]
        CompileError,
        DistutilsPlatformError,
        LinkError,
    )

    import setuptools  # noqa: F401  # it provides distutils

    folders = [str(source.parent.parent / "include"), *map(str, _header_folders())]
    implib = target.parent.parent / "lib" / "voicegraph.lib"
    implib.parent.mkdir(exist_ok=True)
    compiler = new_compiler()
    try:
        objects = compiler.compile([str(source)], str(source.parent), include_dirs=folders)
        compiler.link_shared_object(
            objects,
            str(target),
            library_dirs=[str(_python_library()[0])],
            extra_postargs=[f"/IMPLIB:{implib}"],
        )
    except (CompileError, LinkError, DistutilsPlatformError) as error:
        text = f"the C compiler has failed: {error}"
        raise VoicegraphError(Problem("compiler", text)) from None
    for name in objects:
        Path(name).unlink()
