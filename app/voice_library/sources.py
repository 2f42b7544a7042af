"""The files of what is added: a file, a zip, a folder; models and what lies beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.model_folder import snapshots_with_weights, weights_in
from voicegraph.graph.regular_file import name_fault

from .archive import is_archive, opened_archive, unpack
from .companions import is_companion

MODELS = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx", ".index")
"""Endings of files that may be models."""
_MOST_FILES = 2000
_DEEPEST = 5


@dataclass(slots=True)
class Material:
    """What is added, as files.

    Attributes:
        models: files and folders that may be models: path -> the name in messages.
        companions: other files of the same archives and folders.
        named: the models that were given by name; they are never left out silently.
        containers: names without ending of the archives and folders, for naming a voice.
    """

    models: dict[Path, str] = field(default_factory=dict)
    companions: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    containers: list[str] = field(default_factory=list)


def gather(sources: Sequence[Path], place: Path) -> Material:
    """The files of what is added; archives are checked, then unpacked.

    Args:
        sources: as given.
        place: an empty folder for what is unpacked.

    Raises:
        InputError: if one does not exist, holds no file that may be a model, or is a damaged or
            hostile archive.
        OutputError: if the disk has no room.
    """
    found = Material()
    for number, source in enumerate(sources):
        if (why := name_fault(source)) or not source.exists():
            text = f"{source} does not exist" if not why else f"{source}: {why}"
            raise InputError(Problem("no-such-file", text, fix="check the name"))
        if _is_model_folder(source):
            found.models[source] = str(source)
            found.named.add(source)
        elif source.is_dir():
            found.containers.append(source.resolve().name)
            _add_folder(found, source)
        elif is_archive(source):
            found.containers.append(source.stem)
            folder = place / str(number)
            folder.mkdir()
            _add_archive(found, source, folder)
        elif is_companion(source.name):
            found.companions.append(source)
        else:
            found.models[source] = str(source)
            found.named.add(source)
    return found


def _is_model_folder(path: Path) -> bool:
    """Whether a folder is a model in Hugging Face's form, or of its cache."""
    if not path.is_dir():
        return False
    here = weights_in(path) is not None and (path / "config.json").is_file()
    return here or bool(snapshots_with_weights(path))


def _add_archive(found: Material, source: Path, folder: Path) -> None:
    """Unpacks the entries that may be of use.

    Raises:
        InputError: if it is damaged or hostile, or holds nothing of use.
        OutputError: if the disk has no room.
    """
    with opened_archive(source) as (opened, entries):
        wanted = [e for e in entries if _is_model(e.name) or is_companion(e.name)]
        wanted = [e for e in wanted if not e.name.startswith("__MACOSX/") and e.size]
        if not any(_is_model(entry.name) for entry in wanted):
            raise _nothing(source, [entry.name for entry in entries])
        for path in unpack(source, opened, wanted, folder):
            shown = f"{source}: {path.relative_to(folder).as_posix()}"
            _add(found, path, shown)


def _add_folder(found: Material, source: Path) -> None:
    """The files below a folder; hidden ones and linked folders are left out.

    Raises:
        InputError: if it holds nothing of use, or far more files than a voice has.
    """
    seen: list[Path] = []
    for place, folders, files in os.walk(source, followlinks=False):
        depth = len(Path(place).relative_to(source).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and depth < _DEEPEST)
        seen += [Path(place) / name for name in sorted(files) if not name.startswith(".")]
        if len(seen) > _MOST_FILES:
            text = f"{source} holds more than {_MOST_FILES} files: is it the folder of one voice?"
            raise InputError(Problem("too-many-files", text, fix="give the voice's own folder"))
    if not any(_is_model(path.name) for path in seen):
        raise _nothing(source, [path.relative_to(source).as_posix() for path in seen])
    for path in seen:
        _add(found, path, str(path))


def _add(found: Material, path: Path, shown: str) -> None:
    if _is_model(path.name):
        found.models[path] = shown
    elif is_companion(path.name):
        found.companions.append(path)


def _is_model(name: str) -> bool:
    return name.lower().endswith(MODELS)


def _nothing(source: Path, names: list[str]) -> InputError:
    listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    text = f"{source} holds no file that may be a voice ({', '.join(MODELS)})"
    notes = ((f"it holds: {listed or 'nothing'}", None),)
    fix = "give the voice's .pth, .safetensors or .onnx, or an archive or folder with it"
    return InputError(Problem("no-voice-there", text, notes=notes, fix=fix))
