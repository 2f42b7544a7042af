"""The file of weights in a folder."""

from __future__ import annotations

from pathlib import Path

from ...model_folder import WEIGHTS, model_folder, snapshots_with_weights, weights_in
from ...regular_file import name_fault
from ..file_errors import FormatError

_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_MOST_SHOWN = 4


def weights_file(path: Path) -> Path:
    """The path itself, or the file of weights in a folder.

    Raises:
        FormatError: if no file can have that name, a folder holds no weights by a known name, or
            one of Hugging Face's cache holds several revisions with weights.
    """
    if why := name_fault(path):
        raise FormatError("no-such-file", why, "check the name")
    if not path.is_dir():
        return path
    found = weights_in(model_folder(path))
    if found is not None:
        return found
    if revisions := snapshots_with_weights(path):
        raise FormatError(
            "several-snapshots",
            f"a folder of Hugging Face's cache with {len(revisions)} revisions of a model: "
            f"{_listed([revision.name for revision in revisions])}",
            f"give one of them: {_current(revisions)}",
        )
    raise _no_weights(path)


def _current(revisions: list[Path]) -> Path:
    """The revision that the cache uses for ``main``, or the last one."""
    folder = revisions[0].parent.parent
    try:
        name = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        name = ""
    return next((revision for revision in revisions if revision.name == name), revisions[-1])


def _no_weights(path: Path) -> FormatError:
    folders = [path, *sorted(path.glob("snapshots/*"))[:_MOST_SHOWN]]
    files = [file for folder in folders for file in _weights_by_ending(folder)]
    text = f"a folder without {' or '.join(WEIGHTS)}"
    if len(files) == 1:
        return FormatError("no-weights-in-folder", text, f"give the file itself: {files[0]}")
    if files:
        text += f"; it holds {_listed([file.name for file in files])}"
    models = [entry for entry in _entries(path) if entry.name.startswith("models--")]
    if models and not files:
        text += f"; it is Hugging Face's cache, with {_listed([model.name for model in models])}"
        return FormatError("no-weights-in-folder", text, f"give one of them: {models[0]}")
    return FormatError(
        "no-weights-in-folder",
        text,
        "give the file itself, or a folder as Hugging Face writes it",
    )


def _weights_by_ending(folder: Path) -> list[Path]:
    return [file for file in _entries(folder) if file.suffix.lower() in _ENDINGS]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
