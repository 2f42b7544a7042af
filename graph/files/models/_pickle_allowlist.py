"""The allowlist of globals that a pickle may name, and what replaces them.

No name is ever imported or looked up in a module. Tensors and plain containers are built here;
other classes that are known from real checkpoints become inert placeholders; everything else is an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ..file_errors import FormatError, damaged
from ._tensor_headers import Storage, TensorHeader, is_addressable

MOST_AXES = 16
STORAGE_TYPES: dict[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
"""PyTorch's names of typed storages, and the dtype of their values."""

_PACKAGES = ("fairseq", "omegaconf")
"""Packages of which every name is allowed: fairseq stores its settings as objects."""
_PROGRAMS = "__torch__"
"""Package of the classes that a TorchScript program defines."""
_NUMPY = {"scalar", "_reconstruct"}
_NAMES: dict[str, set[str]] = {
    "argparse": {"Namespace"},
    "builtins": {
        *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int"),
        *("list", "object", "set", "str", "tuple"),
    },
    "_codecs": {"encode"},
    "collections": {"Counter", "OrderedDict", "defaultdict"},
    "copyreg": {"_reconstructor"},
    "numpy": {"dtype", "ndarray", "float16", "float32", "float64", "int32", "int64", "bool_"},
    "numpy.core.multiarray": _NUMPY,
    "numpy._core.multiarray": _NUMPY,
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "torch": {
        *STORAGE_TYPES,
        *("Size", "Tensor", "device"),
        *("float16", "float32", "float64", "bfloat16"),
        *("int8", "int16", "int32", "int64", "uint8", "bool"),
    },
    "torch.cuda": set(STORAGE_TYPES),
    "torch.nn.parameter": {"Parameter"},
    "torch._tensor": {"_rebuild_from_type_v2"},
    "torch._utils": {"_rebuild_parameter", "_rebuild_tensor", "_rebuild_tensor_v2"},
    "typing": {"Any", "Dict", "List", "Optional", "Tuple", "Union"},
}
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


@dataclass(slots=True, eq=False)
class Inert:
    """A placeholder for an object or a class of another package; it runs no code.

    Attributes:
        name: the class, such as ``argparse.Namespace``.
        args: arguments of the call; None for the class itself.
        state: the object's state as stored. It may contain itself, so traverse it with care.
    """

    name: str
    args: tuple[object, ...] | None = field(default=None, repr=False)
    state: object = field(default=None, repr=False)


def allowed_global(module: str, name: str, programs: bool = False) -> Inert:
    """The placeholder for a global that is on the allowlist.

    Args:
        module: as the pickle names it.
        name: in the module.
        programs: whether classes of TorchScript programs are on the allowlist, too.

    Raises:
        FormatError: if it is not on the allowlist.
    """
    module = _PYTHON_2.get(module, module)
    plain = module.replace(".", "").isidentifier() and name.isidentifier()
    package = module.partition(".")[0]
    known = name in _NAMES.get(module, ()) or package in _PACKAGES
    known |= programs and package == _PROGRAMS
    if plain and known:
        return Inert(f"{module}.{name}")
    shown = f"{module}.{name}"
    raise FormatError(
        "forbidden-global",
        f"it refers to {shown[:200]!r}, which does not belong to weights: a whole program was "
        "saved with it, or it is designed to harm this computer. Nothing in it was run",
        "do not use this file; get the model from where its author publishes it",
    )


Charge = Callable[[int], None]
"""Charges a number of steps to the work budget, beyond that of the opcode itself."""


def call(target: object, args: object, charge: Charge) -> object:
    """The result of a call in a pickle: a built tensor or container, else a placeholder.

    Raises:
        FormatError: if the callee is not a global, or the arguments are invalid.
    """
    if not isinstance(target, Inert) or target.args is not None or not isinstance(args, tuple):
        raise damaged("its pickle calls something that is not a function")
    builder = _BUILDERS.get(target.name)
    return builder(args, charge) if builder else Inert(target.name, args)


def _mapping(args: tuple[object, ...], charge: Charge) -> dict[object, object]:
    """``OrderedDict()``, or one with pairs as Python 2 wrote it."""
    made: dict[object, object] = {}
    pairs = args[0] if args else ()
    if isinstance(pairs, dict):
        charge(len(pairs))
        return dict(pairs)
    if not isinstance(pairs, (list, tuple)):
        raise damaged("its pickle makes a dictionary of something else")
    charge(len(pairs))
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise damaged("its pickle makes a dictionary of something else")
        made[checked_key(pair[0])] = pair[1]
    return made


def _default_mapping(args: tuple[object, ...], charge: Charge) -> dict[object, object]:
    return _mapping(args[1:], charge)


def checked_key(key: object) -> object:
    """Checks that a key hashes fast and cannot be made to collide.

    Raises:
        FormatError: for tuples, huge integers and objects. No checkpoint has such keys, and with
            them a small file could keep a computer busy for years (hash flooding).
    """
    if isinstance(key, (str, bytes, float, bool, type(None), Inert)):
        return key
    if isinstance(key, int) and abs(key) < 1 << 60:
        return key
    raise damaged(f"its pickle has a {type(key).__name__} as the key of a dictionary")


def _sequence(args: tuple[object, ...], charge: Charge) -> list[object]:
    """Sets become lists: nothing here tests membership."""
    items = args[0] if args else ()
    if not isinstance(items, (list, tuple)):
        raise damaged("its pickle makes a set of something else")
    charge(len(items))
    return list(items)


def _size(args: tuple[object, ...], charge: Charge) -> tuple[object, ...]:
    return tuple(_sequence(args, charge))


def _encode(args: tuple[object, ...], charge: Charge) -> bytes:
    """Protocol 2 writes bytes as text to be encoded."""
    if len(args) == 2 and isinstance(args[0], str) and args[1] in ("latin1", "latin-1"):
        charge(len(args[0]) // 16)
        return args[0].encode("latin-1")
    raise damaged("its pickle encodes text as no checkpoint does")


def _reconstruct(args: tuple[object, ...], _: Charge) -> Inert:
    """``copyreg._reconstructor(class, base, state)``."""
    if args and isinstance(args[0], Inert):
        return Inert(args[0].name, ())
    raise damaged("its pickle makes an object without a class")


def _parameter(args: tuple[object, ...], _: Charge) -> TensorHeader:
    if args and isinstance(args[0], TensorHeader):
        return args[0]
    raise damaged("its pickle makes a parameter of something that is not a tensor")


def _from_type(args: tuple[object, ...], charge: Charge) -> object:
    """``(function, type, arguments, attributes)``: a tensor with attributes."""
    if len(args) == 4 and isinstance(args[0], Inert) and args[0].name in _TENSOR_MAKERS:
        return call(args[0], args[2], charge)
    raise damaged("its pickle makes a tensor in an unknown way")


def _tensor(args: tuple[object, ...], _: Charge) -> TensorHeader:
    """``(storage, offset, shape, stride, ...)``; the view is checked against its storage."""
    if len(args) < 4 or not isinstance(args[0], Storage):
        raise damaged("its pickle makes a tensor without a storage")
    storage = args[0]
    (offset,), shape, stride = _counts((args[1],)), _counts(args[2]), _counts(args[3])
    if len(shape) != len(stride):
        raise damaged(f"a tensor has shape {shape}, but strides {stride}")
    if not is_addressable(shape):
        raise damaged("the shape of a tensor is not valid")
    header = TensorHeader(shape, storage.dtype, storage, offset, stride)
    if max(offset + header.extent, header.numel) > storage.numel:
        raise FormatError(
            "tensor-too-large",
            f"a tensor of shape {shape} at {offset} goes beyond its storage of {storage.numel} "
            "values",
            "get the file again from where its author publishes it",
        )
    return header


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, (list, tuple)) or len(values) > MOST_AXES:
        raise damaged("the shape of a tensor is not valid")
    found = tuple(v for v in values if type(v) is int and 0 <= v < 1 << 48)
    if len(found) != len(values):
        raise damaged("the shape of a tensor is not valid")
    return found


_TENSOR_MAKERS = (
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
)
_BUILDERS: dict[str, Callable[[tuple[object, ...], Charge], object]] = {
    "_codecs.encode": _encode,
    "builtins.frozenset": _sequence,
    "builtins.set": _sequence,
    "collections.Counter": _mapping,
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _default_mapping,
    "copyreg._reconstructor": _reconstruct,
    "torch.Size": _size,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
}
