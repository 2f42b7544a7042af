"""The source of the C library in one file: what cffi generates around ``library/voicegraph.c``."""

from __future__ import annotations

import os
import re
import site
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package

MODULE = "_voicegraph_library"
"""The name of the module that cffi generates; ``voicegraph.c`` calls its ``PyInit_``."""
_HERE = Path(__file__).parent
_IMPORT = """\
failure = None
try:
    import sys
    from importlib.util import find_spec
    built_with, paths = {built_with!r}, {paths!r}
    if sys.executable == built_with or find_spec("voicegraph") is None:
        sys.path[:0] = [path for path in paths if path not in sys.path]
    import _cffi_backend
    from voicegraph.app.sdk.c_functions import bind
except BaseException as error:
    version = ".".join(map(str, sys.version_info[:3]))
    failure = (
        f"voicegraph cannot be loaded by Python {{version}} of {{sys.executable}}: "
        f"{{type(error).__name__}}: {{error}}. The library was built with that of {{built_with}}; "
        "vg_use_python() and VOICEGRAPH_PYTHON name another one, of the same version"
    )
"""

_BIND = "bind(library.ffi, own_interpreter)\n"


def write_source(target: Path) -> None:
    """Writes the C source of the library.

    Raises:
        VoicegraphError: if cffi is not installed.
    """
    if not is_installed("cffi"):
        raise VoicegraphError(missing_package("voicegraph sdk build", "cffi", extra="sdk"))
    from cffi import FFI

    header = (_HERE / "include" / "voicegraph.h").read_text(encoding="utf-8")
    library = (_HERE / "library" / "voicegraph.c").read_text(encoding="utf-8")
    ffi = FFI()
    ffi.cdef(declarations(header, library))
    ffi.set_source(MODULE, _definitions() + library)
    target.parent.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(StringIO()):  # it names the file
        ffi.emit_c_code(str(target))
    generated = target.read_text(encoding="utf-8")
    # The stable interface of Python has no PyConfig, by which an environment is chosen.
    target.write_text("#define _CFFI_NO_LIMITED_API\n" + generated, encoding="utf-8")


def declarations(header: str, library: str) -> str:
    """What cffi has to know: the structs of the header, and the functions that Python implements.

    Args:
        header: the text of ``voicegraph.h``.
        library: that of ``voicegraph.c``.
    """
    sizes = re.findall(r"^#define VG_MESSAGE_SIZE \d+$", header, re.MULTILINE)
    structs = re.findall(r"^typedef struct \w+ \{.*?^\} \w+;$", header, re.MULTILINE | re.DOTALL)
    functions = re.findall(r"^static (?:int|int64_t) vgpy_[^{;]*;", library, re.MULTILINE)
    python = [text.replace("static", 'extern "Python"', 1) for text in functions]
    return "\n".join([*sizes, *structs, *python])


def _definitions() -> str:
    """The macros that ``voicegraph.c`` expects."""
    find = _IMPORT.format(built_with=sys.executable, paths=_search_path())
    return (
        f"#define VOICEGRAPH_BUILD\n#define VG_PYTHON {_c_string(sys.executable)}\n"
        f"#define VG_IMPORT {_c_string(find)}\n#define VG_BIND {_c_string(_BIND)}\n"
    )


def _search_path() -> list[str]:
    """Folders of modules that an interpreter does not find by itself without the environment."""
    given = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if site.ENABLE_USER_SITE:
        given.append(site.getusersitepackages())
    found = [str(Path(path).absolute()) for path in given]
    return [path for path in dict.fromkeys(found) if Path(path).exists()]


def _c_string(text: str) -> str:
    """A C literal, in lines; what is no ASCII is escaped byte by byte."""
    lines = [
        "".join(_escaped(byte) for byte in line.encode("utf-8", "surrogateescape"))
        for line in text.splitlines(keepends=True)
    ]
    return " \\\n  ".join(f'"{line}"' for line in lines) or '""'


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
