"""``voicegraph voice add``: puts voices into the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption
from ._output import echo, print_json
from ._voice_library_options import (
    AuthorOption,
    CardPictureOption,
    CardTitleOption,
    DescriptionOption,
    FormantOption,
    IndexRateOption,
    LibraryEncoderOption,
    LicenceOption,
    NameOption,
    ProtectOption,
    ReplaceOption,
    SampleOption,
    SourcesArg,
    SpeakerOption,
    TransposeOption,
)
from .voice import voice
from .voice_show import item_text

if TYPE_CHECKING:
    from voicegraph.schemas.voice_library import AddReport


@voice.command("add")
def voice_add(
    sources: SourcesArg,
    name: NameOption = None,
    title: CardTitleOption = None,
    licence: LicenceOption = None,
    author: AuthorOption = None,
    description: DescriptionOption = None,
    picture: CardPictureOption = None,
    encoder: LibraryEncoderOption = None,
    sample: SampleOption = None,
    transpose: TransposeOption = None,
    formant: FormantOption = None,
    index_rate: IndexRateOption = None,
    protect: ProtectOption = None,
    speaker: SpeakerOption = None,
    force: ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add voices, encoders and pitch models to the library, by name.

    Voice and index are paired by what is in them, the encoder is found in the library, and
    everything is checked and converted to safetensors. Nothing in a file is executed.

    voicegraph voice add alice.zip

    voicegraph voice add alice.pth added_alice.index --name alice --transpose 12

    voicegraph voice add hubert_base.pt
    """
    from voicegraph.app.voice_library import AddRequest, add
    from voicegraph.schemas.voice_library import VoiceSettings

    settings = VoiceSettings(
        transpose=transpose,
        formant=formant,
        index_rate=index_rate,
        protect=protect,
        speaker=speaker,
    )
    request = AddRequest(
        name, title, licence, author, description, picture, encoder, settings, sample, force
    )
    report = add(sources, request, lambda line: echo(line, err=True))
    print_json(report) if as_json else echo(added_text(report))


def added_text(report: AddReport) -> str:
    """What is in the library now, what was left out and why."""
    parts = [item_text(item) for item in report.added]
    lines = [f"{printable(one.file)} was left out: {printable(one.why)}" for one in report.left_out]
    lines += [f"{voice} speaks by {encoder} now" for voice, encoder in report.adopted.items()]
    return "\n\n".join([*parts, *(["\n".join(lines)] if lines else [])])
