"""An encoder in a file of ``voicegraph export``: its tensors by canonical names.

They are those of the portable network (``_hubert_export``): queries, keys and values are rows of
one tensor, of which the canonical ones are views.
"""

from __future__ import annotations

import re
from dataclasses import replace

from voicegraph.graph.files.models import Archive, TensorHeader
from voicegraph.graph.files.models.state_dict import StateDict, find_state_dict

_MARKER = "first.weight"
_INPUTS = re.compile(r"(layers\.\d+)\.inputs\.(weight|bias)")
_PARTS = ("query", "key", "value")


def with_canonical_names(archive: Archive) -> Archive:
    """The archive of an exported encoder as that of a converted file.

    It has no tensors if the file has none of an encoder's.
    """
    state = find_state_dict(archive.tensors, _MARKER) or StateDict("", {})
    tensors: dict[str, TensorHeader] = {}
    for name, own in state.names.items():
        header = archive.tensors[own]
        found = _INPUTS.fullmatch(name)
        if found is not None and header.shape and header.shape[0] % len(_PARTS) == 0:
            for number, part in enumerate(_PARTS):
                tensors[f"{found[1]}.attention.{part}.{found[2]}"] = _rows(header, number)
        else:
            tensors[_canonical(name)] = header
    return replace(archive, tree=dict(tensors), tensors=tensors)


def _rows(header: TensorHeader, number: int) -> TensorHeader:
    """A third of the rows of a tensor."""
    count = header.shape[0] // len(_PARTS)
    return replace(
        header,
        shape=(count, *header.shape[1:]),
        offset=header.offset + number * count * header.stride[0],
    )


def _canonical(name: str) -> str:
    if name.startswith("first."):
        return f"convs.0.{name.removeprefix('first.')}"
    if (found := re.fullmatch(r"convs\.(\d{1,4})\.weight", name)) is not None:
        return f"convs.{int(found[1]) + 1}.weight"
    return re.sub(r"^(layers\.\d+)\.output\.", r"\1.attention.output.", name)
