"""Reads pickles without running anything: a small machine of its own for their opcodes.

Why not ``torch.load(weights_only=True)``: it takes the memory of all tensors before anything can be
compared with the file, it cannot read the files of fairseq, whose pickles name classes that nobody
has installed, and it looks names up in real modules. Here a name is only ever text: see
:mod:`.permitted`. The standard library's ``pickletools`` decodes the opcodes; it runs nothing.

The work is bounded by the count of opcodes, and nothing here recurses: a wall of nested tuples or a
"billion laughs" pickle costs no more than its bytes.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import IO, Protocol, cast

from ._pickle_allowlist import STORAGE_TYPES, Inert, call, checked_key, permitted
from ._tensor_headers import Storage
from .file_errors import RefusalError, damaged

MOST_BYTES = 16 << 20
"""Of one pickle. That of a voice has 0.1 MB, those of the largest checkpoints about 1 MB."""
MOST_STEPS = 1_000_000
"""Opcodes of one pickle. A voice has about 15,000."""
_MOST_BITS = 512


class Source(Protocol):
    """What a pickle is read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Up to a line break, at most so many bytes."""
        ...


class _Limited:
    """A source that gives no more than a budget of bytes, and takes no memory on mere promises."""

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
        """A module or a name, as it stands; ``pickletools`` would look for escapes in it."""
        line = self.readline()
        if not line.endswith(b"\n"):
            raise damaged("its pickle ends early")
        return line[:-1].decode("utf-8")


def unpickle(source: Source, budget: int = MOST_BYTES) -> tuple[object, dict[str, Storage]]:
    """The value of a pickle, and the storages that it names; the source stands behind its end.

    Dictionaries, lists, tuples, text and numbers come as they are, sets as lists, tensors as
    :class:`~.headers.TensorHeader`, everything else as :class:`~.permitted.Inert`.

    Args:
        source: where it begins.
        budget: how many bytes there can be; a pickle that promises more is refused.

    Raises:
        RefusalError: if it is damaged, too large, or names what no checkpoint needs.
    """
    machine = _Machine()
    limited = _Limited(source, min(budget, MOST_BYTES))
    try:
        while machine.step(limited):
            pass
    except (IndexError, ValueError, OverflowError):  # an empty stack; an argument cut short
        raise damaged("its pickle is damaged or ends early") from None
    return machine.result(), machine.storages


class _Machine:
    """Stack, marks and memo of the pickle protocol, versions 0 to 5."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._left = MOST_STEPS

    def step(self, source: _Limited) -> bool:
        """One opcode; whether there is another."""
        self._charge(1)
        code = source.read(1)
        opcode = _OPCODES.get(code)
        if opcode is None or opcode.name not in _ACTS:
            raise damaged(f"its pickle has {opcode.name if opcode else 'an opcode'} of no use here")
        if opcode.name in _NAMING:
            arg = source.text_line(), source.text_line()
        else:
            arg = opcode.arg.reader(cast("IO[bytes]", source)) if opcode.arg else None
        _ACTS[opcode.name](self, arg)
        return opcode.name != "STOP"

    def result(self) -> object:
        if len(self._stack) != 1 or self._marks:
            raise damaged("its pickle leaves things behind")
        return self._stack[0]

    def _charge(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise RefusalError(
                "pickle-too-large",
                "its pickle has more parts than any model: it may be meant to fill the memory",
                "do not use this file; get the model from where its author publishes it",
            )

    # ---- the stack ----------------------------------------------------------------------------

    def _pop(self) -> object:
        if self._marks and self._marks[-1] >= len(self._stack):
            raise damaged("its pickle takes what is not there")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[object]:
        start = self._marks.pop()
        found = self._stack[start:]
        del self._stack[start:]
        return found

    def _top(self) -> object:
        if self._marks and self._marks[-1] >= len(self._stack):
            raise damaged("its pickle takes what is not there")
        return self._stack[-1]

    def push(self, value: object) -> None:
        self._stack.append(value)

    def push_checked(self, arg: object) -> None:
        if isinstance(arg, int) and arg.bit_length() > _MOST_BITS:
            raise damaged("its pickle has a number of absurd length")
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
        """PROTO, FRAME and STOP say nothing that matters here."""

    # ---- the memo -----------------------------------------------------------------------------

    def put(self, arg: object) -> None:
        self._memo[_index(arg)] = self._top()

    def memoize(self, arg: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, arg: object) -> None:
        index = _index(arg)
        if index not in self._memo:
            raise damaged("its pickle refers to what it has not")
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
            raise damaged("its pickle adds items to what is no list")

    def _set(self, items: list[object]) -> None:
        target = self._top()
        if len(items) % 2 or not (isinstance(target, dict) or _is_object(target)):
            raise damaged("its pickle adds items to what is no dictionary")
        if isinstance(target, dict):
            for i in range(0, len(items), 2):
                target[checked_key(items[i])] = items[i + 1]

    # ---- globals and objects ------------------------------------------------------------------

    def global_(self, arg: object) -> None:
        module, name = cast("tuple[str, str]", arg)
        self.push(permitted(module, name))

    def stack_global(self, arg: object) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged("its pickle names a global by what is no text")
        self.push(permitted(module, name))

    def reduce(self, arg: object) -> None:
        args, target = self._pop(), self._pop()
        self.push(call(target, args, self._charge))

    def new_object_ex(self, arg: object) -> None:
        self._pop()  # keyword arguments; stand-ins have no use for them
        self.reduce(arg)

    def instance(self, arg: object) -> None:
        args = tuple(self._pop_to_mark())
        self.global_(arg)
        self.push(call(self._pop(), args, self._charge))

    def object_(self, arg: object) -> None:
        target, *args = self._pop_to_mark()
        self.push(call(target, tuple(args), self._charge))

    def build(self, arg: object) -> None:
        """Attributes of state dicts (``_metadata``) are dropped, those of stand-ins kept."""
        state, target = self._pop(), self._top()
        if isinstance(target, Inert) and target.args is not None:
            target.state = state
        elif not isinstance(target, dict):
            raise damaged("its pickle gives a state to what has none")

    def persistent(self, arg: object) -> None:
        """PyTorch's storages: ``("storage", type, key, device, count, view)``."""
        entry = self._pop()
        match entry:
            case ("storage", Inert(name=kind, args=None), str(key), _, int(numel), *view):
                dtype = STORAGE_TYPES.get(kind.rpartition(".")[2])
            case _:
                raise damaged("its pickle refers to something outside that is no storage")
        if dtype is None or not kind.startswith("torch") or any(part is not None for part in view):
            raise damaged(f"its pickle has a storage of a type that is not taken: {kind}")
        if not 0 <= numel < 1 << 48:
            raise damaged("a storage has an impossible size")
        storage = self.storages.setdefault(key, Storage(key, dtype, numel))
        if (storage.dtype, storage.numel) != (dtype, numel):
            raise damaged(f"storage {key[:40]!r} is said to be of two sizes or types")
        self.push(storage)


def _index(arg: object) -> int:
    if not isinstance(arg, int) or not 0 <= arg < MOST_BYTES:
        raise damaged("its pickle refers to what it has not")
    return arg


def _is_object(target: object) -> bool:
    return isinstance(target, Inert) and target.args is not None


_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_NAMING = ("GLOBAL", "INST")
_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
"""Opcodes that push their argument."""
_ACTS: dict[str, Callable[[_Machine, object], None]] = {
    **dict.fromkeys(_VALUES, _Machine.push_checked),
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _Machine.skip),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.reduce),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _Machine.appends),
    **dict.fromkeys(("LIST", "FROZENSET"), _Machine.list_to_mark),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda m, _: m.push([])),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "TUPLE": _Machine.tuple_to_mark,
    "DICT": _Machine.dict_to_mark,
    "APPEND": _Machine.append,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "MARK": _Machine.mark,
    "DUP": _Machine.dup,
    "MEMOIZE": _Machine.memoize,
    "GLOBAL": _Machine.global_,
    "STACK_GLOBAL": _Machine.stack_global,
    "NEWOBJ_EX": _Machine.new_object_ex,
    "INST": _Machine.instance,
    "OBJ": _Machine.object_,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
