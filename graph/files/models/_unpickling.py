"""A safe unpickler: reads pickles without running any code in them.

Why not ``torch.load(weights_only=True)``: it allocates all tensors before sizes can be checked
against the file; it cannot read fairseq's files, whose pickles name classes that are not installed;
and it looks names up in real modules. Here a name is only text: see ``_pickle_allowlist``. The
standard library's ``pickletools`` decodes the opcodes and runs nothing.

The number of opcodes is limited, and nothing here recurses: deeply nested tuples or a "billion
laughs" pickle cost no more than their bytes.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import IO, Protocol, cast

from ..file_errors import FormatError, damaged
from ._pickle_allowlist import STORAGE_TYPES, Inert, allowed_global, call, checked_key
from ._tensor_headers import Storage

MOST_BYTES = 16 << 20
"""Limit of one pickle. A voice's has 0.1 MB, those of the largest checkpoints about 1 MB."""
MOST_STEPS = 1_000_000
"""Limit of opcodes in one pickle. A voice has about 15,000."""
_MOST_BITS = 512


class Source(Protocol):
    """A stream to read a pickle from."""

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Reads up to a line break, at most ``size`` bytes."""
        ...


class _BoundedReader:
    """A source with a budget of bytes, checked before memory is allocated for a claimed size."""

    def __init__(self, source: Source, budget: int) -> None:
        self._source = source
        self._left = budget

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise damaged(f"its pickle ends early, or is larger than {MOST_BYTES >> 20} MiB")
        self._left -= size
        return self._source.read(size)

    def readline(self) -> bytes:
        found = self._source.readline(self._left)
        self._left -= len(found)
        return found

    def text_line(self) -> str:
        """Reads a module or name verbatim; ``pickletools`` would decode escapes in it."""
        line = self.readline()
        if not line.endswith(b"\n"):
            raise damaged("its pickle ends early")
        return line[:-1].decode("utf-8")


def unpickle(
    source: Source, budget: int = MOST_BYTES, *, programs: bool = False
) -> tuple[object, dict[str, Storage]]:
    """Reads a pickle: its value, and the storages that it names.

    Dictionaries, lists, tuples, text and numbers are returned as they are, sets as lists, tensors
    as :class:`TensorHeader`, everything else as :class:`Inert`.

    Args:
        source: positioned at the start of the pickle; afterwards at its end.
        budget: limit of bytes.
        programs: allow the classes that a TorchScript program defines; they become placeholders,
            too.

    Raises:
        FormatError: if it is damaged, too large, or names a global that is not on the allowlist.
    """
    machine = _PickleMachine(programs)
    limited = _BoundedReader(source, min(budget, MOST_BYTES))
    try:
        while machine.step(limited):
            pass
    except (IndexError, ValueError, OverflowError):  # an empty stack; an argument cut short
        raise damaged("its pickle is damaged or ends early") from None
    return machine.result(), machine.storages


class _PickleMachine:
    """The pickle virtual machine, protocols 0 to 5: stack, marks and memo."""

    def __init__(self, programs: bool) -> None:
        self._programs = programs
        self.storages: dict[str, Storage] = {}
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._left = MOST_STEPS

    def step(self, source: _BoundedReader) -> bool:
        """Runs one opcode; returns whether another follows."""
        self._charge(1)
        code = source.read(1)
        opcode = _OPCODES.get(code)
        if opcode is None or opcode.name not in _HANDLERS:
            raise damaged(
                f"its pickle has {opcode.name if opcode else 'an opcode'} which is not allowed"
            )
        if opcode.name in _NAME_OPCODES:
            arg = source.text_line(), source.text_line()
        else:
            arg = opcode.arg.reader(cast("IO[bytes]", source)) if opcode.arg else None
        _HANDLERS[opcode.name](self, arg)
        return opcode.name != "STOP"

    def result(self) -> object:
        if len(self._stack) != 1 or self._marks:
            raise damaged("its pickle leaves values on the stack")
        return self._stack[0]

    def _charge(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise FormatError(
                "pickle-too-large",
                "its pickle has more parts than any model: it may be designed to exhaust memory",
                "do not use this file; get the model from where its author publishes it",
            )

    # ---- the stack ----------------------------------------------------------------------------

    def _pop(self) -> object:
        if self._marks and self._marks[-1] >= len(self._stack):
            raise damaged("its pickle pops from an empty stack")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[object]:
        start = self._marks.pop()
        found = self._stack[start:]
        del self._stack[start:]
        return found

    def _top(self) -> object:
        if self._marks and self._marks[-1] >= len(self._stack):
            raise damaged("its pickle pops from an empty stack")
        return self._stack[-1]

    def push(self, value: object) -> None:
        self._stack.append(value)

    def push_checked(self, arg: object) -> None:
        if isinstance(arg, int) and arg.bit_length() > _MOST_BITS:
            raise damaged("its pickle has an absurdly large number")
        self._stack.append(arg)

    def pop(self, arg: object) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()

    def mark(self, arg: object) -> None:
        self._marks.append(len(self._stack))

    def pop_mark(self, arg: object) -> None:
        self._pop_to_mark()

    def dup(self, arg: object) -> None:
        self.push(self._top())

    def skip(self, arg: object) -> None:
        """PROTO, FRAME and STOP have no effect here."""

    # ---- the memo -----------------------------------------------------------------------------

    def put(self, arg: object) -> None:
        self._memo[_index(arg)] = self._top()

    def memoize(self, arg: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, arg: object) -> None:
        index = _index(arg)
        if index not in self._memo:
            raise damaged("its pickle refers to a missing memo entry")
        self.push(self._memo[index])

    # ---- containers ---------------------------------------------------------------------------

    def tuple_of(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def tuple_to_mark(self, arg: object) -> None:
        self.push(tuple(self._pop_to_mark()))

    def list_to_mark(self, arg: object) -> None:
        self.push(self._pop_to_mark())

    def dict_to_mark(self, arg: object) -> None:
        items, made = self._pop_to_mark(), {}
        self.push(made)
        self._set(items)

    def append(self, arg: object) -> None:
        self._add([self._pop()])

    def appends(self, arg: object) -> None:
        self._add(self._pop_to_mark())

    def set_item(self, arg: object) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    def set_items(self, arg: object) -> None:
        self._set(self._pop_to_mark())

    def _add(self, items: list[object]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(items)
        elif not _is_object(target):
            raise damaged("its pickle adds items to something that is not a list")

    def _set(self, items: list[object]) -> None:
        target = self._top()
        if len(items) % 2 or not (isinstance(target, dict) or _is_object(target)):
            raise damaged("its pickle adds items to something that is not a dictionary")
        if isinstance(target, dict):
            for i in range(0, len(items), 2):
                target[checked_key(items[i])] = items[i + 1]

    # ---- globals and objects ------------------------------------------------------------------

    def global_(self, arg: object) -> None:
        module, name = cast("tuple[str, str]", arg)
        self.push(allowed_global(module, name, self._programs))

    def stack_global(self, arg: object) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged("its pickle names a global by something that is not text")
        self.push(allowed_global(module, name, self._programs))

    def reduce(self, arg: object) -> None:
        args, target = self._pop(), self._pop()
        self.push(call(target, args, self._charge))

    def new_object_ex(self, arg: object) -> None:
        self._pop()  # keyword arguments; placeholders do not need them
        self.reduce(arg)

    def instance(self, arg: object) -> None:
        args = tuple(self._pop_to_mark())
        self.global_(arg)
        self.push(call(self._pop(), args, self._charge))

    def object_(self, arg: object) -> None:
        target, *args = self._pop_to_mark()
        self.push(call(target, tuple(args), self._charge))

    def build(self, arg: object) -> None:
        """Keeps the state of placeholders; drops that of dicts, such as ``_metadata``."""
        state, target = self._pop(), self._top()
        if isinstance(target, Inert) and target.args is not None:
            target.state = state
        elif not isinstance(target, dict):
            raise damaged("its pickle sets the state of something without one")

    def persistent(self, arg: object) -> None:
        """PyTorch's storages: ``("storage", type, key, device, count, view)``."""
        entry = self._pop()
        match entry:
            case ("storage", Inert(name=kind, args=None), str(key), _, int(numel), *view):
                dtype = STORAGE_TYPES.get(kind.rpartition(".")[2])
            case _:
                raise damaged("its pickle has a persistent id that is not a storage")
        if dtype is None or not kind.startswith("torch") or any(part is not None for part in view):
            raise damaged(f"its pickle has a storage of an unknown type: {kind}")
        if not 0 <= numel < 1 << 48:
            raise damaged("a storage has an impossible size")
        storage = self.storages.setdefault(key, Storage(key, dtype, numel))
        if (storage.dtype, storage.numel) != (dtype, numel):
            raise damaged(f"storage {key[:40]!r} has two sizes or types")
        self.push(storage)


def _index(arg: object) -> int:
    if not isinstance(arg, int) or not 0 <= arg < MOST_BYTES:
        raise damaged("its pickle refers to a missing memo entry")
    return arg


def _is_object(target: object) -> bool:
    return isinstance(target, Inert) and target.args is not None


_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_NAME_OPCODES = ("GLOBAL", "INST")
_VALUE_OPCODES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
"""Opcodes that push their argument."""
_HANDLERS: dict[str, Callable[[_PickleMachine, object], None]] = {
    **dict.fromkeys(_VALUE_OPCODES, _PickleMachine.push_checked),
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _PickleMachine.skip),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _PickleMachine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _PickleMachine.get),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _PickleMachine.reduce),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _PickleMachine.appends),
    **dict.fromkeys(("LIST", "FROZENSET"), _PickleMachine.list_to_mark),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda m, _: m.push([])),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "TUPLE": _PickleMachine.tuple_to_mark,
    "DICT": _PickleMachine.dict_to_mark,
    "APPEND": _PickleMachine.append,
    "SETITEM": _PickleMachine.set_item,
    "SETITEMS": _PickleMachine.set_items,
    "POP": _PickleMachine.pop,
    "POP_MARK": _PickleMachine.pop_mark,
    "MARK": _PickleMachine.mark,
    "DUP": _PickleMachine.dup,
    "MEMOIZE": _PickleMachine.memoize,
    "GLOBAL": _PickleMachine.global_,
    "STACK_GLOBAL": _PickleMachine.stack_global,
    "NEWOBJ_EX": _PickleMachine.new_object_ex,
    "INST": _PickleMachine.instance,
    "OBJ": _PickleMachine.object_,
    "BUILD": _PickleMachine.build,
    "BINPERSID": _PickleMachine.persistent,
}
