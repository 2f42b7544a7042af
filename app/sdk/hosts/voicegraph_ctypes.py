"""voicegraph.h for Python by ctypes, without any package.

In a Python that has voicegraph installed, ``import voicegraph`` is simpler and does more. This
module shows how a language calls the C interface, and it tests the library.
"""

from __future__ import annotations

import ctypes
import json
import sys
from array import array
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_float, c_int, c_void_p
from pathlib import Path
from typing import Any

_NAMES = {"win32": "voicegraph.dll", "darwin": "libvoicegraph.dylib"}


class _Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("message", c_char * 512)]


class _Options(ctypes.Structure):
    _fields_ = [
        ("size", c_int),
        ("override_count", c_int),
        ("overrides", POINTER(c_char_p)),
        ("profile_count", c_int),
        ("recover", c_int),
        ("profiles", POINTER(c_char_p)),
        ("in_rate", c_int),
        ("in_channels", c_int),
        ("out_rate", c_int),
        ("out_channels", c_int),
        ("record", c_char_p),
    ]


class Format(ctypes.Structure):
    """``vg_format``: what the blocks of a session are."""

    _fields_ = [
        ("in_frames", c_int),
        ("in_rate", c_int),
        ("in_channels", c_int),
        ("out_frames", c_int),
        ("out_rate", c_int),
        ("out_channels", c_int),
        ("latency", c_int),
    ]
    in_frames: int
    in_rate: int
    in_channels: int
    out_frames: int
    out_rate: int
    out_channels: int
    latency: int


class CallError(RuntimeError):
    """A function of the library has failed.

    Attributes:
        code: a code of the list in voicegraph.h.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Library:
    """The loaded library.

    Args:
        path: the library; None: ``../lib`` beside this file's folder.

    Raises:
        OSError: if it cannot be loaded.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        name = _NAMES.get(sys.platform, "libvoicegraph.so")
        found = Path(path) if path else Path(__file__).resolve().parent.parent / "lib" / name
        self._functions = ctypes.CDLL(str(found))
        self._functions.vg_open_with.restype = c_void_p
        self._functions.vg_open_with.argtypes = [c_char_p, POINTER(_Options), POINTER(_Error)]
        session, error = c_void_p, POINTER(_Error)
        samples, texts = POINTER(c_float), POINTER(c_char_p)
        for function, arguments in {
            "vg_get_format": [session, POINTER(Format), error],
            "vg_process": [session, samples, c_int, samples, c_int, error],
            "vg_set": [session, c_char_p, c_double, error],
            "vg_set_text": [session, c_char_p, c_char_p, error],
            "vg_get": [session, c_char_p, POINTER(c_double), error],
            "vg_swap": [session, texts, c_int, error],
            "vg_reset": [session, error],
            "vg_status": [session, c_char_p, c_int, error],
            "vg_close": [session, error],
        }.items():
            getattr(self._functions, function).argtypes = arguments

    def open(self, pipeline: str, overrides: Sequence[str] = (), **options: Any) -> Session:
        """Opens a session.

        Args:
            pipeline: name or file.
            overrides: ``path=value``, as after ``--set``.
            options: other members of ``vg_options``: ``profiles`` (a list), ``in_rate``,
                ``in_channels``, ``out_rate``, ``out_channels``, ``recover``, ``record``.

        Raises:
            CallError: if it cannot be opened.
        """
        profiles = options.pop("profiles", ())
        record = options.pop("record", None)
        wanted = _Options(
            size=ctypes.sizeof(_Options),
            overrides=_texts(overrides),
            override_count=len(overrides),
            profiles=_texts(profiles),
            profile_count=len(profiles),
            record=None if record is None else str(record).encode(),
            **options,
        )
        error = _Error()
        handle = self._functions.vg_open_with(pipeline.encode(), byref(wanted), byref(error))
        if not handle:
            raise CallError(error.code, error.message.decode())
        return Session(self._functions, handle)


class Session:
    """A running pipeline; made by :meth:`Library.open`. A context manager."""

    def __init__(self, functions: Any, handle: int) -> None:
        self._functions = functions
        self._handle: int | None = handle
        self.format = Format()
        """Rates, channels and frames of a block, and the latency."""
        self._call("vg_get_format", byref(self.format))
        self._in = self.format.in_frames * self.format.in_channels
        self._out = self.format.out_frames * self.format.out_channels

    def process(self, block: Any) -> array[float]:
        """Processes one block.

        Args:
            block: float32 samples ``[in_frames * in_channels]``, interleaved; anything with a
                writable buffer, such as ``array.array("f")`` or a numpy array.

        Returns:
            float32 samples ``[out_frames * out_channels]``, interleaved.

        Raises:
            CallError: if processing fails.
            ValueError: if the block has another length.
        """
        given = memoryview(block).cast("B")
        if given.nbytes != 4 * self._in:
            raise ValueError(f"a block is {self._in} samples, not {given.nbytes // 4}")
        taken = (c_float * self._in).from_buffer(given)
        made = array("f", bytes(4 * self._out))
        out = (c_float * self._out).from_buffer(made)
        self._call("vg_process", taken, self.format.in_frames, out, self.format.out_frames)
        return made

    def set(self, param: str, value: float | str) -> None:
        """Sets a live param, ``node.param``, from the next block on; text is read as YAML."""
        if isinstance(value, str):
            self._call("vg_set_text", param.encode(), value.encode())
        else:
            self._call("vg_set", param.encode(), value)

    def get(self, param: str) -> float:
        """The value of a live param that is a number."""
        value = c_double()
        self._call("vg_get", param.encode(), byref(value))
        return value.value

    def swap(self, overrides: Sequence[str]) -> None:
        """Changes what is not live, without a gap, while another thread processes."""
        self._call("vg_swap", _texts(overrides), len(overrides))

    def reset(self) -> None:
        """Forgets all audio."""
        self._call("vg_reset")

    def status(self) -> dict[str, Any]:
        """The state of the session."""
        size = 4096
        while True:  # another thread may make the text longer between two calls
            text = ctypes.create_string_buffer(size)
            length = self._call("vg_status", text, size)
            if length < size:
                return json.loads(text.value)
            size = length + 1024

    def close(self) -> None:
        """Closes the session. Safe to call twice."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._functions.vg_close(handle, None)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, function: str, *arguments: Any) -> int:
        error = _Error()
        result = getattr(self._functions, function)(self._handle, *arguments, byref(error))
        if error.code:
            raise CallError(error.code, error.message.decode())
        return result


def _texts(words: Sequence[str]) -> Any:
    return (c_char_p * len(words))(*(word.encode() for word in words))
