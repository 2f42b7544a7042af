"""Snapshots: the complete state of a session as one value, and as a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save_file

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.snapshot_header import SnapshotHeader

from ..errors import OutputError, Problem, StateError
from ..node_params import NodeParams
from ..plan import is_older_hash
from ..providers import provided
from ..regular_file import open_regular, read_failure, shortened
from .engine_setup import setup_of
from .param_values import from_json, to_json

if TYPE_CHECKING:
    from ._reblocking import Reblocker
    from .engine import Engine, Step

_FORMAT = "voicegraph-snapshot-1"
PENDING = "pending"
"""Name of the samples that do not fill a block yet, ``[streams, channels, samples]``."""
OLDER_HASH = (
    "the snapshot was made by an older version, whose plan hash stands for the names and sizes of "
    "files: the shapes of all states and the live params were compared instead"
)
"""Told after restoring a snapshot whose plan's hash cannot be compared."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State, live params and position of a session, with the hash of the plan they belong to.

    Attributes:
        plan: hash of the plan.
        position: ticks processed.
        params: live params by node: one entry per stream, or a single one if all streams agree.
        tensors: states, histories and pending samples by name, copies on the CPU.
        setup: how the engine was set up; None in files of older versions.
    """

    plan: str
    position: int
    params: dict[str, list[dict[str, Any]]]
    tensors: dict[str, torch.Tensor]
    setup: EngineSetup | None = None

    def save(self, path: str | Path) -> None:
        """Writes a safetensors file atomically; all except the tensors is JSON in its header.

        Raises:
            OutputError: if the file cannot be written.
        """
        params = {
            name: [{key: to_json(value) for key, value in own.items()} for own in each]
            for name, each in self.params.items()
        }
        header = {"plan": self.plan, "position": self.position, "params": params}
        if self.setup is not None:
            header["setup"] = self.setup.model_dump(mode="json")
        metadata = {"format": _FORMAT, "snapshot": json.dumps(header)}
        with provided("atomic_write")(Path(path), force=True) as temporary:
            try:
                save_file(self.tensors, temporary, metadata)
            except SafetensorError as error:  # the library wraps the system's errors
                text = f"{path} cannot be written: {error}"
                raise OutputError(Problem("cannot-write", text)) from None

    @classmethod
    def load(cls, path: str | Path) -> Snapshot:
        """Reads a file that :meth:`save` wrote.

        Raises:
            StateError: if the file is missing or is not a snapshot.
        """
        try:
            with open_regular(path) as file:
                data = file.read()  # not mapped, since the file may change while it is used
            tensors = _tensors(data)
            header, params = _header(_metadata(data))
            return cls(header.plan, header.position, params, tensors, header.setup)
        except (
            OSError,
            SafetensorError,
            ValueError,
            LookupError,
            RecursionError,
        ) as error:
            why = read_failure(error) if isinstance(error, OSError) else error
            text = f"{shortened(path)} is not a voicegraph snapshot: {why}"
            raise StateError(Problem("no-snapshot", text)) from None


def _tensors(data: bytes) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file.

    The library checks that a shape fits the bytes, but any size fits beside a size of 0. PyTorch
    refuses those above 2^63 with other errors, whose texts are lines of its own code.
    """
    try:
        return load(data)
    except (TypeError, RuntimeError):
        raise ValueError("its header has a shape that no tensor can have") from None


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file that the library has checked."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]).get("__metadata__") or {}


def _header(
    metadata: Mapping[str, str],
) -> tuple[SnapshotHeader, dict[str, list[dict[str, Any]]]]:
    """The header, and the live params in it."""
    if metadata.get("format") != _FORMAT:
        raise ValueError("it is another kind of file")
    try:
        header = SnapshotHeader.model_validate(json.loads(metadata["snapshot"]))
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(wrong)) from None
    params = {
        name: [{key: from_json(value) for key, value in own.items()} for own in each]
        for name, each in header.params.items()
    }
    return header, params


def take_snapshot(engine: Engine, reblocker: Reblocker, position: int) -> Snapshot:
    """Copies the state of a session between two ticks; ``position`` is its tick count."""
    tensors = {
        # safetensors files hold contiguous tensors only
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in {**engine.tensors(), PENDING: reblocker.pending_samples}.items()
    }
    params = {
        step.name: [
            {key: getattr(own, key) for key in sorted(type(own).live_fields())}
            for own in (step.params if isinstance(step.params, list) else [step.params])
        ]
        for step in engine.steps
    }
    return Snapshot(engine.plan.hash, position, params, tensors, setup_of(engine))


def restore_snapshot(found: Snapshot, engine: Engine, reblocker: Reblocker) -> int:
    """Puts the state of a snapshot into a session.

    If the hash of its plan was made by an older rule, only what follows is compared: names, shapes
    and dtypes of all states, and the live params.

    Returns:
        The position at which the snapshot was taken, in ticks.

    Raises:
        StateError: if plan, shapes or params do not fit; nothing is changed then.
    """
    if not is_older_hash(found.plan) and found.plan != engine.plan.hash:
        text = f"the snapshot belongs to plan {found.plan}, this session runs {engine.plan.hash}"
        fix = "restore it with the same pipeline and overrides"
        raise StateError(Problem("other-plan", text, fix=fix))
    own = engine.tensors()
    # Any number of samples below a block may be pending: only the other axes are compared.
    pending = reblocker.pending_samples[..., :0]
    _check_tensors(found.tensors, {**own, PENDING: pending}, engine.plan.samples_in)
    params = {step.name: _params(step, found, engine.streams) for step in engine.steps}
    for name, tensor in own.items():
        tensor.copy_(found.tensors[name])
    reblocker.set_pending(found.tensors[PENDING])
    for step in engine.steps:
        step.params = params[step.name]
    return found.position


def _check_tensors(
    found: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], block: int
) -> None:
    for name in sorted(own.keys() | found.keys()):
        other, tensor = found.get(name), own.get(name)
        if other is not None and tensor is not None and other.dtype == tensor.dtype:
            pending = name == PENDING and other.dim() == 3 and other.shape[2] < block
            if (other[..., :0] if pending else other).shape == tensor.shape:
                continue
        text = "the tensors of the snapshot have other shapes than those of this session"
        fix = "restore it with the number of streams it was taken with"
        raise StateError(Problem("other-shapes", text, notes=((f"first: {name}", None),), fix=fix))


def _params(step: Step, found: Snapshot, streams: int) -> NodeParams | list[NodeParams]:
    """A node's params with the live ones of the snapshot."""
    base = step.params[0] if isinstance(step.params, list) else step.params
    fixed = {key: getattr(base, key) for key in type(base).model_fields}
    try:
        each = [
            type(base).model_validate(
                {**fixed, **{key: own[key] for key in type(base).live_fields()}}
            )
            for own in found.params[step.name]
        ]
    except (ValueError, LookupError, TypeError) as error:
        text = f"the snapshot's params of {step.name} do not fit: {error}"
        raise StateError(Problem("other-params", text)) from None
    if len(each) not in (1, streams):
        text = f"the snapshot has params of {step.name} for {len(each)} streams, not {streams}"
        raise StateError(Problem("other-params", text))
    return each if len(each) > 1 else each[0]
