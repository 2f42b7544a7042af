"""Citations of methods, as the page prints them and as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicegraph.schemas.experiment_manifest import Manifest


@dataclass(frozen=True, slots=True)
class Citation:
    """A source.

    Attributes:
        key: of the BibTeX entry.
        text: as printed.
        bibtex: the entry.
    """

    key: str
    text: str
    bibtex: str


def _article(key: str, author: str, title: str, journal: str, year: int, **more: str) -> Citation:
    fields = {"author": author, "title": title, "journal": journal, **more, "year": str(year)}
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    people = author.replace(" and ", "; ").rstrip(".")
    place = f" {more['volume']}" if "volume" in more else ""
    return Citation(
        key,
        f"{people}. {title}. {journal}{place} ({year}).",
        f"@article{{{key},\n{body}\n}}",
    )


METHODS: Mapping[str, Citation] = {
    "bca": _article(
        "efron1987bca",
        "Efron, B.",
        "Better bootstrap confidence intervals",
        "Journal of the American Statistical Association",
        1987,
        volume="82",
        pages="171--185",
    ),
    "permutation": _article(
        "phipson2010permutation",
        "Phipson, B. and Smyth, G. K.",
        "Permutation p-values should never be zero",
        "Statistical Applications in Genetics and Molecular Biology",
        2010,
        volume="9",
    ),
    "wilcoxon": _article(
        "wilcoxon1945ranking",
        "Wilcoxon, F.",
        "Individual comparisons by ranking methods",
        "Biometrics Bulletin",
        1945,
        volume="1",
        pages="80--83",
    ),
    "holm": _article(
        "holm1979rejective",
        "Holm, S.",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        1979,
        volume="6",
        pages="65--70",
    ),
    "bh": _article(
        "benjamini1995fdr",
        "Benjamini, Y. and Hochberg, Y.",
        "Controlling the false discovery rate",
        "Journal of the Royal Statistical Society B",
        1995,
        volume="57",
        pages="289--300",
    ),
    "tost": _article(
        "schuirmann1987tost",
        "Schuirmann, D. J.",
        "A comparison of the two one-sided tests procedure and the power approach",
        "Journal of Pharmacokinetics and Biopharmaceutics",
        1987,
        volume="15",
        pages="657--680",
    ),
    "crossed": _article(
        "clark1973fallacy",
        "Clark, H. H.",
        "The language-as-fixed-effect fallacy: a critique of language statistics in psychological "
        "research",
        "Journal of Verbal Learning and Verbal Behavior",
        1973,
        volume="12",
        pages="335--359",
    ),
}


def measured_with(manifest: Manifest) -> Sequence[Citation]:
    """The sources of metrics and observers, as they name them."""
    found: dict[str, Citation] = {}
    for name, text in (
        *((metric.name, metric.citation) for metric in manifest.metrics),
        *((observer.name, observer.source) for observer in manifest.observers),
    ):
        if text and text not in found:
            key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            found[text] = Citation(key, text, f"@misc{{{key},\n  note = {{{_escaped(text)}}}\n}}")
    return list(found.values())


def _escaped(text: str) -> str:
    r"""Text for a BibTeX field: braces would end it, ``%`` and ``\`` mean something to TeX."""
    plain = text.replace("\\", "/").replace("{", "(").replace("}", ")")
    return re.sub(r"([%&#$_])", r"\\\1", plain)
