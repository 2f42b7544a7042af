"""The folder of a bundle: read, and compared with the hashes in its manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.bundle import (
    FORMAT,
    MANIFEST,
    PLAN,
    BundleFile,
    BundleManifest,
    BundlePlan,
)

_AT_ONCE = 1 << 20
_LARGEST_JSON = 64 << 20
_MAKE = "voicegraph export PIPELINE --all DIR"
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose files are what its manifest says."""

    folder: Path
    manifest: BundleManifest
    plan: BundlePlan

    def path(self, name: str) -> Path:
        """A file of the bundle by its name in the manifest.

        Raises:
            InputError: if the manifest does not list it.
        """
        if all(file.path != name for file in self.manifest.files):
            text = f"{self.folder / MANIFEST}: it names {name}, which is not among its files"
            raise InputError(Problem("broken-bundle", text, fix=f"make it again: {_MAKE}"))
        return self.folder / PurePosixPath(name)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of an ``.npz`` file of the bundle.

        Raises:
            InputError: if it holds something else.
        """
        path = self.path(name)
        try:
            with np.load(path, allow_pickle=False) as found:
                return {key: found[key] for key in found.files}
        except (ValueError, OSError, EOFError, KeyError) as error:
            text = f"{path}: not an .npz file of arrays ({error})"
            raise InputError(Problem("broken-bundle", text)) from None


def open_bundle(folder: Path) -> Bundle:
    """Reads manifest and plan, and compares all files with their hashes.

    Raises:
        InputError: if the folder is no bundle, one of another format, or a file of it is missing,
            changed or lies outside of it.
    """
    manifest = _read(folder, MANIFEST, BundleManifest)
    listed = {file.path for file in manifest.files}
    if PLAN not in listed:
        text = f"{folder / MANIFEST}: it lists no {PLAN}"
        raise InputError(Problem("broken-bundle", text, fix=f"make it again: {_MAKE}"))
    for file in manifest.files:
        _check(folder, file)
    return Bundle(folder, manifest, _read(folder, PLAN, BundlePlan))


def _read(folder: Path, name: str, kind: type[ModelT]) -> ModelT:
    """Raises an InputError if the file is missing, of another format, or no such file at all."""
    path = folder / name
    if not path.is_file():
        text = f"{folder} is no bundle: it has no {name}"
        raise InputError(Problem("no-bundle", text, fix=_MAKE))
    with open_regular(path) as file:
        text = file.read(_LARGEST_JSON)
    if (stated := _format(text)) != FORMAT:
        problem = f"{path}: format {stated}; this version of voicegraph reads format {FORMAT}"
        raise InputError(Problem("broken-bundle", problem, fix=f"make it again: {_MAKE}"))
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(Problem("broken-bundle", f"{path}: {where}: {first['msg']}")) from None


def _format(text: bytes) -> object:
    """The format that a file states; that of today if it says nothing that can be read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return FORMAT
    return found.get("format", FORMAT) if isinstance(found, dict) else FORMAT


def _check(folder: Path, file: BundleFile) -> None:
    """Compares a file with its hash.

    Raises:
        InputError: if it is not that file.
    """
    parts = PurePosixPath(file.path).parts
    if not parts or PurePosixPath(file.path).is_absolute() or ".." in parts or "\\" in file.path:
        text = f"{folder / MANIFEST}: {file.path} lies outside of the bundle"
        raise InputError(Problem("broken-bundle", text))
    path = folder / PurePosixPath(file.path)
    if not path.is_file():
        text = f"{path} is missing, which {MANIFEST} lists"
        raise InputError(Problem("broken-bundle", text, fix="copy the whole folder"))
    digest = hashlib.sha256()
    with open_regular(path) as opened:
        while piece := opened.read(_AT_ONCE):
            digest.update(piece)
    if digest.hexdigest() != file.sha256:
        text = f"{path} is not the file that {MANIFEST} lists: its contents have another hash"
        raise InputError(Problem("changed-file", text, fix=f"make it again: {_MAKE}"))
