"""Presets: pipeline files that extend a bundled one, kept by name in the user's folder.

A preset may come from somebody else. It extends a bundled pipeline and nothing else; it names
voices and models by their names in the library; and it is loaded and compiled, confined to the
library, in a process of its own before it is kept.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voicegraph.app.background import CommandRunner
from voicegraph.app.storage import (
    ConflictError,
    ExistsError,
    InvalidUploadError,
    NotFoundError,
    UnusableError,
    UploadRule,
    name_fault,
    receive_upload,
    upload_folder,
)
from voicegraph.graph.errors import InputError, Problem, VoicegraphError
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.graph.files.private_folder import private_folder
from voicegraph.graph.files.voice_library import find, plain_name
from voicegraph.graph.loading.document import Document, parse_document
from voicegraph.graph.loading.sources import shipped
from voicegraph.schemas.app import Preset, SavePreset
from voicegraph.schemas.control import RunningPipeline
from voicegraph.schemas.report import ProblemReport

from ._preset_text import changes_of, preset_text
from ._problems import problem_reports, problems_of

ENDING = ".yaml"
LARGEST = 1 << 18
"""Bytes of a preset; real ones have one or two kilobytes."""
_MOST = 1000
_MISSING = frozenset({"unset-var", "unset-asset", "no-such-file", "unknown-voice"})
"""Problems of a preset whose voice this machine lacks; it is kept, and says so."""


@dataclass(frozen=True, slots=True)
class _Checked:
    document: Document
    problems: list[ProblemReport]


class Presets:
    """The presets in a folder.

    Args:
        folder: of the presets; made with the first one.
        library: the folder of voices, from which presets may take files.
        commands: runs the check of uploaded ones.
    """

    def __init__(self, folder: Path, library: Path, commands: CommandRunner) -> None:
        self._folder = folder
        self._library = library
        self._commands = commands
        self._guard = threading.Lock()  # a name is looked up and taken in one step

    def list(self) -> list[Preset]:
        """All presets, by name."""
        found: list[Preset] = []
        for name in self._names():
            with suppress(OSError):  # deleted in this moment
                found.append(self._preset(name))
        return found

    def preset(self, name: str) -> Preset:
        """A preset by its name.

        Raises:
            NotFoundError: if there is none.
        """
        return self._preset(self._required(name))

    def path(self, name: str) -> Path:
        """The file of a preset.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return self._folder / f"{self._required(name)}{ENDING}"

    def save(
        self, name: str, asked: SavePreset, running: RunningPipeline, live: Mapping[str, Any]
    ) -> Preset:
        """Saves what a session runs.

        Args:
            name: the preset's name.
            asked: description, and whether an existing one may be replaced.
            running: the session's pipeline.
            live: values of its live params: ``node.param`` -> value.

        Raises:
            InvalidUploadError: if the name is not allowed.
            ExistsError: if the name is taken.
            ConflictError: if the session's pipeline extends no bundled one.
        """
        _require_name(name)
        text = preset_text(running, live, asked.description)
        return self._keep(name, text, asked.replace)

    async def receive(self, stream: AsyncIterator[bytes], content_type: str) -> Preset:
        """Keeps the preset of an upload, part ``file``, under the name of its file.

        Raises:
            VoicegraphError: as :meth:`add`, and if the upload is refused.
        """
        rule = UploadRule(files=("file",), most_bytes=2 * LARGEST, reserve_bytes=0)
        with upload_folder(self._folder) as folder:
            upload = await receive_upload(stream, content_type, folder, rule)
            if not upload.files:
                raise InvalidUploadError(Problem("missing", "the part `file` is missing"))
            (file,) = upload.files
            return await self.add(file.name, file.path.read_bytes())

    async def add(self, name: str, raw: bytes) -> Preset:
        """Keeps a preset that was uploaded, once it has been checked.

        Args:
            name: the file's name; its ending does not count.
            raw: the file.

        Raises:
            UnusableError: if it is no preset, or has mistakes.
            InvalidUploadError: if the name is not allowed.
            ExistsError: if the name is taken.
        """
        name = name.rpartition("/")[2]
        name = name.removesuffix(".yml").removesuffix(ENDING)
        _require_name(name)
        text = await self.checked(raw)
        return self._keep(name, text, False)

    async def checked(self, raw: bytes) -> str:
        """The text of a stranger's preset, once the loader and the compiler have taken it.

        Raises:
            UnusableError: with every mistake.
        """
        text = _decoded(raw)
        _require_preset(_parsed(text))
        place = self._folder / f".check-{threading.get_ident()}-{id(raw)}{ENDING}"
        private_folder(self._folder)
        write_text(place, text, durable=False)
        try:
            folders = ("--confine", str(self._library), "--confine", str(self._folder))
            result = await self._commands.run("check", str(place), *folders)
        finally:
            place.unlink(missing_ok=True)
        problems = [*result.problems, *_problems_of_check(result.report)]
        wrong = [problem for problem in problems if problem.code not in _MISSING]
        if wrong:
            raise UnusableError(problems_of(wrong, {str(place): "preset.yaml"}))
        return text

    def delete(self, name: str) -> Preset:
        """Deletes a preset; what it was.

        Raises:
            NotFoundError: if there is none of that name.
        """
        last = self.preset(name)
        self.path(name).unlink(missing_ok=True)
        return last

    # ---- what lies in the folder

    def _names(self) -> list[str]:
        found = [path.stem for path in self._folder.glob(f"*{ENDING}")]
        return sorted((name for name in found if name_fault(name) is None), key=str.casefold)

    def _required(self, name: str) -> str:
        names = self._names()
        if name in names:
            return name
        text = f"there is no preset {name[:60]!r}"
        listed = f"the presets are: {', '.join(names[:20])}" if names else "save one first"
        raise NotFoundError(Problem("no-such-preset", text, fix=listed))

    def _keep(self, name: str, text: str, replace: bool) -> Preset:
        with self._guard:
            taken = {known.casefold(): known for known in self._names()}
            known = taken.get(name.casefold())
            if known is not None and not replace:
                problem = Problem("exists", f"there is a preset {known!r}", fix="another name")
                raise ExistsError(problem)
            if known is None and len(taken) >= _MOST:
                problem = Problem(
                    "too-many-presets", f"there are {_MOST} presets", fix="delete one"
                )
                raise ConflictError(problem)
            kept = known or name
            write_text(self._folder / f"{kept}{ENDING}", text, force=True)
        return self.preset(kept)

    def _preset(self, name: str) -> Preset:
        path = self._folder / f"{name}{ENDING}"
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        try:
            data = _parsed(_decoded(path.read_bytes())).data
            _require_preset_data(data)
        except VoicegraphError as error:
            problems = problem_reports(error)
            return Preset(name=name, extends=None, voice=None, changed=changed, problems=problems)
        voice = _voice(data)
        return Preset(
            name=name,
            extends=data["extends"],
            voice=voice,
            problems=_missing_voice(voice),
            description=data.get("description") or "",
            changed=changed,
            changes=changes_of(data),
        )


def _require_name(name: str) -> None:
    if (fault := name_fault(name)) is not None:
        raise InvalidUploadError(Problem("bad-name", f"{name[:60]!r}: {fault}", fix="another name"))


def _decoded(raw: bytes) -> str:
    if len(raw) > LARGEST:
        text = f"a preset has {LARGEST >> 10} KiB at most"
        raise UnusableError(Problem("too-large", text))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "this is no preset: it is not UTF-8 text"
        raise UnusableError(Problem("no-preset", text)) from None


def _parsed(text: str) -> Document:
    try:
        return parse_document(text, "preset", Path("preset"))
    except VoicegraphError as error:
        raise UnusableError(error.problems) from None
    except RecursionError:
        raise UnusableError(Problem("no-preset", "it is nested too deeply")) from None


def _require_preset(document: Document) -> None:
    _require_preset_data(document.data)


def _require_preset_data(data: Any) -> None:
    """Checks that a file extends a bundled pipeline: only then its other keys are looked at.

    Raises:
        UnusableError: if it does not. No other file has been opened.
    """
    known = shipped()
    extends = data.get("extends") if isinstance(data, Mapping) else None
    if not isinstance(extends, str) or extends not in known:
        found = "nothing" if extends is None else repr(extends)[:60]
        text = f"a preset extends a bundled pipeline, this one extends {found}"
        fix = f"extends: {next(iter(known))}   (or one of: {', '.join(known)})"
        raise UnusableError(Problem("no-preset", text, fix=fix))
    _require_parts(data)


def _require_parts(data: Mapping[str, Any]) -> None:
    for key in ("vars", "nodes", "assets", "profiles"):
        if not isinstance(data.get(key, {}), Mapping | None):
            text = f"{key} is no mapping of names to values"
            raise UnusableError(Problem("wrong-type", text))
    if not isinstance(data.get("description", ""), str | None):
        raise UnusableError(Problem("wrong-type", "description is no text"))


def _voice(data: Mapping[str, Any]) -> str | None:
    """The name in the library of a preset's voice; None if it names a file, or none."""
    voice = (data.get("vars") or {}).get("voice")
    return plain_name(voice) if isinstance(voice, str) else None


def _missing_voice(voice: str | None) -> list[ProblemReport]:
    try:
        if voice is None or find(voice) is not None:
            return []
        text = f"the library has no voice {voice}, which the preset speaks with"
        problem = Problem("unknown-voice", text, fix="add the voice, or choose another one")
        return [ProblemReport.model_validate(problem.as_dict())]
    except InputError as error:
        return problem_reports(error)


def _problems_of_check(report: Any) -> list[ProblemReport]:
    """The problems that ``voicegraph check`` tells of a preset, and files that it would write."""
    if not isinstance(report, dict):
        return []
    found: list[ProblemReport] = []
    for entry in report.get("pipelines", ()):
        found += [ProblemReport.model_validate(problem) for problem in entry["problems"]]
        for use in entry.get("writes", ()):
            text = f"{', '.join(use['by'])} writes {use['path']}, and a preset writes no files"
            problem = Problem("writes-files", text, fix="leave the node out")
            found.append(ProblemReport.model_validate(problem.as_dict()))
    return found
