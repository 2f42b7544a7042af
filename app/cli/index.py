"""``voicegraph index``: makes, compresses and inspects retrieval indexes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._index_options import (
    ClusterOption,
    DuplicatesOption,
    EncoderOption,
    FigureOption,
    IndexArg,
    IndexesArg,
    IndexSeedOption,
    IndexThreadsOption,
    LicenceOption,
    ListsOption,
    NodeOption,
    OnOption,
    OptionalProbesOption,
    OptionalTargetArg,
    OriginOption,
    ProbesOption,
    RateOption,
    SilenceOption,
    SourcesArg,
    SuggestOption,
    TargetArg,
    ThroughOption,
    TitleOption,
    ToOption,
    WithinOption,
)
from ._limit_codes import limits_code
from ._options import ForceOption, JsonOption, ProfileOption, SetOption, load
from ._output import CommandGroup, echo, listing_command, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.training.index.compress import Judge
    from voicegraph.training.index.encodings import Encoding
    from voicegraph.training.index.index_writer import CardTexts
    from voicegraph.training.index.make import Material
    from voicegraph.training.index.source import IndexSource

_ON = "--on"

index = CommandGroup(help="Make, compress and inspect retrieval indexes.")
app.add_typer(index, name="index")


@index.command("make")
def index_make(
    sources: SourcesArg,
    target: TargetArg,
    through: ThroughOption = None,
    node: NodeOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    silence: SilenceOption = 40.0,
    lists: ListsOption = None,
    nprobe: ProbesOption = 1,
    cluster: ClusterOption = True,
    duplicates: DuplicatesOption = False,
    encoder: EncoderOption = None,
    title: TitleOption = None,
    licence: LicenceOption = None,
    source: OriginOption = None,
    threads: IndexThreadsOption = 1,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Make an index from content features, or from sounds through the encoder of a pipeline.

    voicegraph index make logs/alice/3_feature768 added_alice.index

    voicegraph index make recordings/ alice.safetensors --through default-live
    """
    from voicegraph.training.index.clustering import threads as using_threads
    from voicegraph.training.index.index_writer import CardTexts, check_index_target
    from voicegraph.training.index.make import MakeSettings, make

    check_index_target(target, force)
    texts = CardTexts(title or "", licence or "", source or "")
    pipeline = _pipeline(through, set_args, profiles)
    with using_threads(threads):
        material, texts = _material(sources, pipeline, node, silence, (texts, encoder))
        settings = MakeSettings(lists, nprobe, cluster, duplicates)
        report = make(material, settings, target, texts, force=force)
    if as_json:
        print_json(report)
    else:
        from voicegraph.app.reports.index_text import made_text

        echo(made_text(report))
    return 0


@index.command("compress", cls=listing_command(_ON))
def index_compress(
    source: IndexArg,
    target: OptionalTargetArg = None,
    to: ToOption = None,
    nprobe: OptionalProbesOption = None,
    lists: ListsOption = None,
    suggest: SuggestOption = False,
    within: WithinOption = None,
    rate: RateOption = 0.5,
    on: OnOption = None,
    through: ThroughOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    picture: FigureOption = None,
    seed: IndexSeedOption = 1,
    threads: IndexThreadsOption = 1,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Store an index in less memory, and measure what that costs before it is written.

    voicegraph index compress added.index small.index --to pq:384 --nprobe 16 --within 'blend<=.02'

    voicegraph index compress added.index --suggest

    Exit code 9 if a condition of --within does not hold, 3 if one cannot be judged.
    """
    from voicegraph.training.index import limits
    from voicegraph.training.index.clustering import threads as using_threads

    limits.parse(within or ())
    _require_form(target, to, nprobe, suggest, picture)
    if target is not None:
        from voicegraph.training.index.index_writer import check_index_target

        check_index_target(target, force)
    _require_both(on, through)
    judge = _judge(on, _pipeline(through, set_args, profiles), rate, within)
    with using_threads(threads):
        opened = _opened(source)
        if suggest:
            return _suggest(opened, (to, nprobe, lists), judge, (picture, force), seed, as_json)
        assert target is not None
        assert to is not None
        return _compress(
            opened, (to[0], (nprobe or [None])[0], lists), judge, (target, force), seed, as_json
        )


@index.command("inspect", cls=listing_command(_ON))
def index_inspect(
    files: IndexesArg,
    rate: RateOption = 0.5,
    on: OnOption = None,
    through: ThroughOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    seed: IndexSeedOption = 1,
    threads: IndexThreadsOption = 1,
    as_json: JsonOption = False,
) -> int:
    """Show what an index holds, and how near its search is for several numbers of lists.

    voicegraph index inspect added_alice.index
    """
    from voicegraph.schemas.index_report import IndexInspections
    from voicegraph.training.index.clustering import threads as using_threads
    from voicegraph.training.index.inspect_index import inspect_index

    _require_both(on, through)
    judge = _judge(on, _pipeline(through, set_args, profiles), rate, None)
    with using_threads(threads):
        found = [inspect_index(_opened(path), judge, seed) for path in files]
    if as_json:
        print_json(IndexInspections(indexes=found))
    else:
        from voicegraph.app.reports.index_text import inspection_text

        echo("\n\n".join(inspection_text(each) for each in found))
    return 0


# ---- what the options mean ----------------------------------------------------------------------


def _pipeline(
    through: str | None, set_args: list[str] | None, profiles: list[str] | None
) -> Pipeline | None:
    if through is not None:
        return load(through, set_args, profiles)
    if set_args or profiles:
        option = "--set" if set_args else "--profile"
        raise typer.BadParameter("it changes a pipeline: give --through, too", param_hint=option)
    return None


def _material(
    sources: Sequence[Path],
    pipeline: Pipeline | None,
    node: str | None,
    silence: float,
    card: tuple[CardTexts, Path | None],
) -> tuple[Material, CardTexts]:
    """The features, and the texts of the card with the encoder that made them."""
    from dataclasses import replace

    from voicegraph.training.index.feature_files import feature_files, read_features
    from voicegraph.training.index.index_writer import encoder_of
    from voicegraph.training.index.make import Material
    from voicegraph.training.index.pipeline_features import encode_sounds

    texts, encoder = card
    if pipeline is None:
        _require_features(sources)
        files = feature_files(sources)
        if encoder is not None:
            texts = replace(texts, trained_on=encoder_of(encoder, files[0].dimension))
        return Material(read_features(files), len(files)), texts
    if encoder is not None:
        raise typer.BadParameter("--through names the encoder already", param_hint="--encoder")
    from voicegraph.graph.files.sound.batch import sound_files

    paths = sound_files([str(path) for path in sources])
    found = encode_sounds(paths, pipeline, node, silence)
    material = Material(found.vectors, len(paths), found.seconds, found.silent)
    return material, replace(texts, trained_on=found.encoder)


def _require_features(sources: Sequence[Path]) -> None:
    """Sounds need an encoder."""
    from voicegraph.graph.files.sound.formats import READABLE

    for path in sources:
        if path.suffix.lower() in READABLE:
            text = f"{path} is a sound: name the pipeline whose encoder makes features of it"
            raise typer.BadParameter(text, param_hint="--through")


def _require_both(on: list[str] | None, through: str | None) -> None:
    """Sounds need a pipeline, and the pipeline sounds."""
    if on and through is None:
        text = "name the pipeline whose retrieval gets the sounds, such as default-live"
        raise typer.BadParameter(text, param_hint="--through")
    if through is not None and not on:
        raise typer.BadParameter("name the sounds that go through it", param_hint=_ON)


def _judge(
    on: list[str] | None, pipeline: Pipeline | None, rate: float, within: list[str] | None
) -> Judge:
    from voicegraph.graph.files.sound.batch import sound_files
    from voicegraph.training.index.compress import Judge

    return Judge(rate, sound_files(on) if on else (), pipeline, tuple(within or ()))


def _require_form(
    target: Path | None,
    to: list[str] | None,
    nprobe: list[int] | None,
    suggest: bool,
    picture: Path | None,
) -> None:
    """Says what is missing or too much, with or without ``--suggest``."""
    if suggest:
        if target is not None:
            raise typer.BadParameter("--suggest writes no index", param_hint="OUT")
        return
    if target is None:
        raise typer.BadParameter("name the file to write, or give --suggest", param_hint="OUT")
    if picture is not None:
        raise typer.BadParameter("it needs --suggest", param_hint="--picture")
    if not to:
        text = "say how vectors are stored: --to sq8 nearly loses nothing; --suggest tries several"
        raise typer.BadParameter(text, param_hint="--to")
    for name, values in (("--to", to), ("--nprobe", nprobe or ())):
        if len(values) > 1:
            raise typer.BadParameter("several are tried with --suggest only", param_hint=name)


def _opened(path: Path) -> IndexSource:
    from voicegraph.training.index.source import IndexSource

    from ._library_files import named_file

    return IndexSource(named_file(path, "index"))


# ---- compressing --------------------------------------------------------------------------------


def _compress(
    source: IndexSource,
    form: tuple[str, int | None, int | None],
    judge: Judge,
    place: tuple[Path, bool],
    seed: int,
    as_json: bool,
) -> int:
    from voicegraph.training.index.compress import Form, compress
    from voicegraph.training.index.encodings import parse_encoding

    encoding, (target, force) = parse_encoding(form[0], source.dimension), place
    wanted = Form(encoding, *form[1:])
    report = compress(source, wanted, judge, target, seed=seed, force=force)
    if as_json:
        print_json(report)
    else:
        from voicegraph.app.reports.index_text import compressed_text

        echo(compressed_text(report))
    return limits_code(report.within, report.limits)


def _suggest(
    source: IndexSource,
    form: tuple[list[str] | None, list[int] | None, int | None],
    judge: Judge,
    place: tuple[Path | None, bool],
    seed: int,
    as_json: bool,
) -> int:
    from voicegraph.training.index.suggest import suggest

    texts, probes, lists = form
    picture, force = place
    if picture is not None:
        from voicegraph.graph.metrics import spectrogram_figure

        spectrogram_figure.require_matplotlib("leave out --picture")
        spectrogram_figure.require_picture_name(picture, force)
    encodings = _encodings(texts, source.dimension)
    report = suggest(source, encodings, probes or (), judge, lists=lists, seed=seed)
    if as_json:
        print_json(report)
    else:
        from voicegraph.app.reports.index_text import suggestions_text

        echo(suggestions_text(report))
    if picture is not None:
        from voicegraph.training.index import frontier_figure

        frontier_figure.draw(report, picture, force=force)
        echo(f"wrote {picture}", err=as_json)
    none_fits = report.limits and report.command is None
    return limits_code(False if none_fits else None, ())


def _encodings(texts: list[str] | None, dimension: int) -> list[Encoding]:
    from voicegraph.training.index.encodings import parse_encoding, usual_encodings

    if not texts:
        return usual_encodings(dimension)
    return [parse_encoding(text, dimension) for text in texts]
