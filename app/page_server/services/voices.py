"""The voices of the library for pages: listed, added from uploads, removed, with pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voicegraph.app.background import CommandRunner
from voicegraph.app.storage import (
    ConflictError,
    NotFoundError,
    UnusableError,
    Upload,
    UploadRule,
    UploadSlots,
    named_files,
    receive_upload,
    upload_folder,
)
from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.voice_library import (
    LibraryEntry,
    entries,
    find,
    item_of,
    known_names,
    near,
    plain_name,
)
from voicegraph.schemas.app import AppLimits, Voice
from voicegraph.schemas.voice_library import LibraryItem

from ._problems import raise_problems

LARGEST_PICTURE = 1 << 23


class Voices:
    """The library of voices.

    Args:
        limits: what uploads may take.
        uploads: folder in which files are received.
        slots: places for uploads.
        commands: runs ``voicegraph voice``, which opens model files; this process does not.
    """

    def __init__(
        self, limits: AppLimits, uploads: Path, slots: UploadSlots, commands: CommandRunner
    ) -> None:
        self._limits = limits
        self._uploads = uploads
        self._slots = slots
        self._commands = commands

    def list(self) -> list[Voice]:
        """All voices, bundled ones first, then by title."""
        library = entries()
        found = [
            _voice(item_of(entry, library)) for entry in library.values() if entry.card.is_voice
        ]
        return sorted(found, key=lambda one: (not one.bundled, one.title.casefold()))

    def voice(self, name: str) -> Voice:
        """A voice by its name.

        Raises:
            NotFoundError: if there is none.
        """
        return _voice(item_of(self._entry(name), entries()))

    def picture(self, name: str) -> tuple[Path, str]:
        """The picture of a voice, and its type.

        Raises:
            NotFoundError: if there is no such voice, or it has none.
        """
        entry = self._entry(name)
        if entry.picture_file is None or not entry.picture_file.is_file():
            raise NotFoundError(Problem("no-picture", f"the voice {entry.name} has no picture"))
        return entry.picture_file, entry.card.picture_type or "application/octet-stream"

    async def add(self, stream: AsyncIterator[bytes], content_type: str) -> Voice:
        """Adds the voice that was uploaded: model, index, archive; checked before it is kept.

        Raises:
            VoicegraphError: if the upload is refused, or holds no voice; with what is missing.
        """
        rule = UploadRule(
            files=("files",),
            most_bytes=self._limits.upload_bytes,
            most_files=min(self._limits.upload_files, 100),
            idle_s=self._limits.upload_idle_s,
            reserve_bytes=self._limits.reserve_bytes,
        )
        async with self._slots.taken(stream) as paced:
            with upload_folder(self._uploads) as folder:
                upload = await receive_upload(paced, content_type, folder, rule)
                _require_files(upload)
                paths = named_files(upload)
                result = await self._commands.run("voice", "add", *map(str, paths))
        raise_problems(result.problems, _names(paths))
        return self.voice(_added(result.report))

    async def set_picture(
        self, name: str, stream: AsyncIterator[bytes], content_type: str
    ) -> Voice:
        """Gives a voice a picture.

        Raises:
            NotFoundError: if there is no such voice.
            ConflictError: if it is bundled.
            VoicegraphError: if the upload is refused, or is no picture.
        """
        entry = self._own(name)
        rule = UploadRule(
            files=("picture",),
            most_bytes=LARGEST_PICTURE,
            idle_s=self._limits.upload_idle_s,
            reserve_bytes=self._limits.reserve_bytes,
        )
        async with self._slots.taken(stream) as paced:
            with upload_folder(self._uploads) as folder:
                upload = await receive_upload(paced, content_type, folder, rule)
                _require_files(upload)
                (path,) = named_files(upload)
                result = await self._commands.run(
                    "voice", "edit", entry.name, "--picture", str(path)
                )
        raise_problems(result.problems, _names([path]))
        return self.voice(entry.name)

    async def remove(self, name: str) -> Voice:
        """Removes a voice; what it was.

        Raises:
            NotFoundError: if there is no such voice.
            ConflictError: if it is bundled.
        """
        entry = self._own(name)
        last = self.voice(entry.name)
        result = await self._commands.run("voice", "remove", entry.name)
        raise_problems(result.problems)
        return last

    def _entry(self, name: str) -> LibraryEntry:
        plain = plain_name(name)
        try:
            entry = None if plain is None else find(plain)
        except InputError as error:
            raise ConflictError(error.problems) from None
        if entry is not None and entry.card.is_voice:
            return entry
        close = near(name, known_names())
        text = f"the library has no voice {name[:60]!r}"
        fix = close[0] if close else "GET /api/voices lists all"
        raise NotFoundError(Problem("no-such-voice", text, fix=fix))

    def _own(self, name: str) -> LibraryEntry:
        entry = self._entry(name)
        if entry.bundled:
            text = f"{entry.name} comes with voicegraph, and stays as it is"
            raise ConflictError(Problem("is-bundled", text))
        return entry


def _names(paths: Sequence[Path]) -> dict[str, str]:
    """Path of a received file -> its name."""
    return {str(path): path.name for path in paths}


def _added(report: Mapping[str, Any]) -> str:
    """The voice that ``voicegraph voice add --json`` tells of.

    The one that was added; if encoders or pitch models were, a voice that can speak with them now.

    Raises:
        UnusableError: if there is none; it says which models have been added.
    """
    added = [str(item["name"]) for item in report["added"]]
    library = entries()
    for name in (*added, *report.get("adopted", ())):
        if name in library and library[name].card.is_voice:
            return name
    models = ", ".join(added)
    text = f"{models} is in the library now, and no voice: none of the voices has waited for it"
    raise UnusableError(Problem("no-voice", text, fix="add the model of a voice (.pth), too"))


def _voice(item: LibraryItem) -> Voice:
    card = item.card
    return Voice(
        name=item.name,
        title=card.title,
        kind="rvc" if card.kind == "rvc" else "source_filter",
        bundled=item.bundled,
        licence=card.licence or None,
        description=card.description,
        needs=item.needs,
        notes=list(card.remarks),
        settings=item.settings,
        picture=item.picture is not None,
        rate_hz=card.rate_hz,
        pipelines=item.pipelines,
        parents=[parent.name for parent in card.parents],
    )


def _require_files(upload: Upload) -> None:
    if not any(file.bytes for file in upload.files):
        problem = Problem("no-files", "no file came", fix="choose the files of the voice")
        raise UnusableError(problem)
