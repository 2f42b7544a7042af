"""Reports on retrieval indexes: ``voicegraph index make, compress and inspect --json``."""

from __future__ import annotations

from .encoder_card import EncoderIdentity
from .report import Report


class IndexMade(Report):
    """``voicegraph index make --json``."""

    path: str
    """The index that was written."""
    size_bytes: int
    """Its size."""
    vectors: int
    """Vectors in it."""
    dimension: int
    """Values of a vector."""
    lists: int
    """Inverted lists."""
    probes: int
    """Lists that a search visits, as the file says."""
    trained_on: EncoderIdentity | None
    """The content encoder of the vectors, as the card states it; null if it is not known, or if the
    file has no card."""
    files: int
    """Files that were read."""
    seconds: float | None
    """Seconds of sound in them; null for files of features."""
    frames: int
    """Vectors that were read."""
    silent: int
    """Left out since their sound is silent."""
    duplicates: int
    """Left out since an equal one came before."""
    not_finite: int
    """Left out since they hold NaN or infinity."""
    clustered: bool
    """Whether the vectors are centres of k-means over those that were read."""
    notes: list[str]
    """What the user should know."""


class SearchReport(Report):
    """One way to search an index, against an exact search of the source's vectors."""

    type: str
    """How vectors are stored: ``sq8``, ``pq:96``; ``source`` is the file that was given."""
    probes: int | None
    """Lists that a search visits; null without lists."""
    size_bytes: int
    """Size of the index."""
    recall: float
    """Share of the eight nearest vectors that are among the eight that were found."""
    mean: float
    """RMS error of the weighted mean of the neighbours over its RMS."""
    blend: float
    """The same of the features that the synthesizer gets: the mean mixed with the query."""
    cosine: float
    """Cosine of the mean and the exact mean, average."""
    search_ms: float
    """Milliseconds of one core for a search of 12 frames."""


class AudioDeviation(Report):
    """How far the sound through a pipeline is from that with an exact search."""

    pipeline: str
    """The pipeline."""
    files: list[str]
    """What it was measured on."""
    snr_db: float | None
    """Signal-to-noise ratio; null if both are equal."""
    lsd_db: float | None
    """Log-spectral distance; null if it could not be measured."""


class IndexLimit(Report):
    """One condition of ``--within``."""

    limit: str
    """As it was written."""
    found: float | None
    """The value; null if it was not measured, or is infinite."""
    ok: bool | None
    """Whether it holds; null if it could not be judged."""
    why: str | None
    """Why it could not be judged."""


class IndexCompressed(Report):
    """``voicegraph index compress --json``."""

    source: str
    """The index that was read."""
    target: str
    """The index that was asked for."""
    written: bool
    """Whether it was written: nothing is, unless all conditions hold."""
    vectors: int
    """Number of vectors."""
    dimension: int
    """Values of a vector."""
    lists: int
    """Inverted lists of the result."""
    queries: str
    """What the searches were judged with."""
    rate: float
    """Share of the neighbours in the blend."""
    before: list[SearchReport]
    """Searches of the source: as its file says, and with as many lists as the result."""
    after: SearchReport
    """The result."""
    audio: AudioDeviation | None
    """Deviation of the sound; null without ``--on``."""
    limits: list[IndexLimit]
    """The conditions of ``--within``."""
    within: bool | None
    """Whether all conditions hold; null if there are none, or one could not be judged."""
    notes: list[str]
    """What the user should know."""


class TriedSearch(SearchReport):
    """One of the searches that ``--suggest`` tried."""

    frontier: bool
    """Whether no other one is as small, as near and as fast, and better in one of the three."""
    within: bool | None
    """Whether all conditions hold; null if there are none."""


class IndexSuggestions(Report):
    """``voicegraph index compress --suggest --json``."""

    source: str
    """The index that was read."""
    vectors: int
    """Number of vectors."""
    dimension: int
    """Values of a vector."""
    lists: int
    """Inverted lists of the results."""
    queries: str
    """What the searches were judged with."""
    rate: float
    """Share of the neighbours in the blend."""
    before: SearchReport
    """The source as its file says."""
    tried: list[TriedSearch]
    """By size, then by lists."""
    limits: list[str]
    """The conditions of ``--within``."""
    command: str | None
    """What to type for the smallest one that fulfils them; null if none does, or there are none."""


class IndexInspection(Report):
    """One index of ``voicegraph index inspect --json``."""

    path: str
    """The file."""
    type: str
    """FAISS's name of its type."""
    vectors: int
    """Number of vectors."""
    dimension: int
    """Values of a vector."""
    size_bytes: int
    """Size of the serialized index, which is in memory while it is used."""
    vector_bytes: float
    """Bytes of a stored vector."""
    lists: int | None
    """Inverted lists."""
    probes: int | None
    """Lists that a search visits, as the file says."""
    list_sizes: dict[str, float] | None
    """``least``, ``median``, ``most``, ``empty``, and ``imbalance``: how many times as many vectors
    a search meets as with lists of equal size."""
    duplicates: int
    """Vectors that are equal to an earlier one."""
    norm: dict[str, float]
    """Length of a vector: ``mean`` and ``std``."""
    trained_on: EncoderIdentity | None
    """The content encoder, if a card states it."""
    queries: str
    """What the searches were judged with."""
    rate: float
    """Share of the neighbours in the blend."""
    searches: list[SearchReport]
    """With 1, 2, 4, ... lists, and with as many as the file says."""
    notes: list[str]
    """What the user should know."""


class IndexInspections(Report):
    """``voicegraph index inspect --json``."""

    indexes: list[IndexInspection]
    """In the order of the command line."""
