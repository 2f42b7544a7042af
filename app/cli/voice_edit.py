"""``voicegraph voice edit``: changes the card of a voice."""

from __future__ import annotations

from ._options import JsonOption
from ._output import echo, print_json
from ._voice_library_options import (
    AuthorOption,
    CardPictureOption,
    CardTitleOption,
    DescriptionOption,
    EntryArg,
    FormantOption,
    IndexRateOption,
    LibraryEncoderOption,
    LicenceOption,
    ProtectOption,
    SampleOption,
    SpeakerOption,
    TransposeOption,
)
from .voice import voice
from .voice_add import added_text


@voice.command("edit")
def voice_edit(
    name: EntryArg,
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
    as_json: JsonOption = False,
) -> None:
    """Change what the card of a voice says: title, picture, licence, encoder, settings.

    voicegraph voice edit alice --transpose 12 --picture alice.png
    """
    from voicegraph.app.voice_library import EditRequest, edit
    from voicegraph.schemas.voice_library import VoiceSettings

    settings = VoiceSettings(
        transpose=transpose,
        formant=formant,
        index_rate=index_rate,
        protect=protect,
        speaker=speaker,
    )
    request = EditRequest(title, licence, author, description, picture, encoder, settings, sample)
    report = edit(name, request)
    print_json(report) if as_json else echo(added_text(report))
