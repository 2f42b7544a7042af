"""The functions ``vgpy_*`` that the C library calls, as cffi binds them.

Nothing here raises: every function turns exceptions into a code and a sentence. The C side has
checked that no pointer is NULL that must not be.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph.loading.overrides import parse_set

from .call_errors import argument_error
from .collector import Collector
from .error_message import code_and_text, message_bytes
from .handles import HandleTable, Holder
from .rvc_config import RvcConfig
from .rvc_voice import RvcVoice
from .session_options import CallerFormat, SessionOptions, open_session
from .session_status import session_status

_KEPT_WARNINGS = 16
_CONFIG_MEMBERS = tuple(RvcConfig.__slots__)  # pyright: ignore[reportAttributeAccessIssue]


def bind(ffi: Any, own_interpreter: bool) -> None:
    """Makes the functions those that the library calls.

    Args:
        ffi: that of the module which cffi has generated.
        own_interpreter: whether the library has started the interpreter.
    """
    functions = CFunctions(ffi, own_interpreter)
    for name in dir(functions):
        if not name.startswith("_"):
            ffi.def_extern(name=f"vgpy_{name}")(getattr(functions, name))


def _reported(failed: int | None = None) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Turns exceptions into the last argument, ``vg_error *``, and a result.

    Args:
        failed: the result after an exception; None: the code of the error.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def call(self: CFunctions, *arguments: Any) -> int:
            try:
                return function(self, *arguments[:-1])
            except BaseException as error:  # nothing may pass into C
                code = self._fail(arguments[-1], error)
                return code if failed is None else failed

        return call

    return decorate


class CFunctions:
    """The library's functions and what they share.

    Args:
        ffi: that of the module which cffi has generated.
        own_interpreter: whether the library has started the interpreter.
    """

    def __init__(self, ffi: Any, own_interpreter: bool) -> None:
        self._ffi = ffi
        self._handles = HandleTable()
        self._collector = Collector(own_interpreter)
        self._warnings: deque[str] = deque(maxlen=_KEPT_WARNINGS)
        self._buffer = ffi.buffer
        if own_interpreter:
            warnings.showwarning = self._keep_warning  # a library does not print

    # ---- any pipeline -----------------------------------------------------------------------

    @_reported(failed=0)
    def open(self, pipeline: Any, options: Any) -> int:
        """``vg_open_with``."""
        name = self._text(pipeline, "pipeline")
        session = open_session(name, self._options(options))
        return self._added(session)

    @_reported()
    def get_format(self, handle: int, target: Any) -> int:
        """``vg_get_format``."""
        found = self._handles.find(handle).running().format
        for member, value in found._asdict().items():
            setattr(target, member, value)
        return 0

    def process(
        self, handle: int, data: Any, in_frames: int, out: Any, out_frames: int, err: Any
    ) -> int:
        """``vg_process``. Not decorated: it is called for each block, and silences ``out``."""
        begun = time.perf_counter()
        session = None
        try:
            session = self._handles.find(handle).running()
            session.require_block(in_frames, out_frames)
            bytes_in, bytes_out = session.sizes
            session.process(
                np.frombuffer(self._buffer(data, bytes_in), np.float32),
                np.frombuffer(self._buffer(out, bytes_out), np.float32),
            )
            self._collector.after_block(begun, session.block_s)
        except BaseException as error:  # nothing may pass into C
            channels = 1 if session is None else session.format.out_channels
            silenced = 4 * channels * max(out_frames, 0)
            self._buffer(out, silenced)[:] = bytes(silenced)
            return self._fail(err, error)
        return 0

    @_reported()
    def set(self, handle: int, param: Any, value: float) -> int:
        """``vg_set``: whole numbers are given as such, for params that take no others."""
        number = int(value) if value.is_integer() else value
        self._session(handle).set(self._text(param, "param"), number)
        return 0

    @_reported()
    def set_text(self, handle: int, param: Any, value: Any) -> int:
        """``vg_set_text``."""
        written = f"{self._text(param, 'param')}={self._text(value, 'value')}"
        path, found = parse_set(written, "vg_set_text ")
        self._session(handle).set(path, found)
        return 0

    @_reported()
    def get(self, handle: int, param: Any, target: Any) -> int:
        """``vg_get``."""
        name = self._text(param, "param")
        found = self._session(handle).get(name)
        if not isinstance(found, (bool, int, float)):
            raise argument_error(f"{name} is {found!r}, no number", fix="vg_status() has its value")
        target[0] = float(found)
        return 0

    @_reported()
    def swap(self, handle: int, overrides: Any, count: int) -> int:
        """``vg_swap``."""
        held = self._handles.find(handle).running()
        texts = self._texts(overrides, count, "overrides")
        held.swap(dict(parse_set(text, "override ") for text in texts))
        return 0

    @_reported()
    def reset(self, handle: int) -> int:
        """``vg_reset``."""
        self._session(handle).reset()
        return 0

    def status(self, handle: int, target: Any, size: int, err: Any) -> int:
        """``vg_status``."""
        try:
            held = self._handles.find(handle).running()
            found = session_status(held, self._warnings).model_dump_json().encode()
            if size > 0:
                text = found + b"\0" if len(found) < size else b"\0"
                self._ffi.memmove(target, text, len(text))
            return len(found)
        except BaseException as error:  # nothing may pass into C
            return -self._fail(err, error)

    @_reported()
    def close(self, handle: int) -> int:
        """``vg_close`` and ``rvc_destroy``."""
        self._handles.take(handle).close()
        self._collector.session_closed()
        return 0

    # ---- RVC voices -------------------------------------------------------------------------

    @_reported(failed=0)
    def rvc_create(self, config: Any) -> int:
        """``rvc_create``."""
        values = {member: getattr(config, member) for member in _CONFIG_MEMBERS}
        return self._handles.add(RvcVoice(RvcConfig(**values)))

    @_reported()
    def rvc_load_models(self, handle: int, hubert: Any, synthesizer: Any, index: Any) -> int:
        """``rvc_load_models``."""
        voice = self._voice(handle)
        voice.load(
            self._text(hubert, "hubert"),
            self._text(synthesizer, "synthesizer"),
            None if index == self._ffi.NULL else self._text(index, "index"),
        )
        self._collector.session_opened()
        return 0

    def rvc_block_size(self, handle: int, err: Any) -> int:
        """``rvc_get_required_block_size``."""
        try:
            return self._voice(handle).block_frames
        except BaseException as error:  # nothing may pass into C
            return -self._fail(err, error)

    def rvc_process(self, *arguments: Any) -> int:
        """``rvc_process_block``."""
        return self.process(*arguments)

    # ---- arguments --------------------------------------------------------------------------

    def _added(self, holder: Holder) -> int:
        self._collector.session_opened()
        return self._handles.add(holder)

    def _session(self, handle: int) -> Any:
        return self._handles.find(handle).running().session

    def _voice(self, handle: int) -> RvcVoice:
        holder = self._handles.find(handle)
        if not isinstance(holder, RvcVoice):
            text = "this handle is a vg_session, and rvc_* takes those of rvc_create()"
            raise argument_error(text)
        return holder

    def _options(self, given: Any) -> SessionOptions:
        record = given.record
        return SessionOptions(
            overrides=self._texts(given.overrides, given.override_count, "overrides"),
            profiles=self._texts(given.profiles, given.profile_count, "profiles"),
            source=CallerFormat(given.in_rate, given.in_channels),
            target=CallerFormat(given.out_rate, given.out_channels),
            recover=bool(given.recover),
            record=None if record == self._ffi.NULL else Path(self._text(record, "record")),
        )

    def _texts(self, array: Any, count: int, name: str) -> list[str]:
        if count < 0:
            raise argument_error(f"the number of {name} is {count}")
        if count and array == self._ffi.NULL:
            raise argument_error(f"{name} is NULL, and their number is {count}")
        return [self._text(array[i], f"{name}[{i}]") for i in range(count)]

    def _text(self, pointer: Any, name: str) -> str:
        if pointer == self._ffi.NULL:
            raise argument_error(f"{name} is NULL")
        data = self._ffi.string(pointer)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte {error.start} is 0x{data[error.start]:02x}"
            raise argument_error(f"{name} is not UTF-8: {byte}") from None

    def _fail(self, err: Any, error: BaseException) -> int:
        code, text = code_and_text(error)
        if err != self._ffi.NULL:
            found = message_bytes(text)
            err.code = code
            self._ffi.memmove(err.message, found, len(found))
        del error
        return code

    def _keep_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        del filename, lineno, file, line
        self._warnings.append(f"{category.__name__}: {message}")
