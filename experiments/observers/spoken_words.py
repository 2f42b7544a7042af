"""Text as it is spoken: what transcripts and recognizers write differently becomes equal.

The rules are those that English word error rates are usually computed with (lower case, no
punctuation, abbreviations and numbers as words), after the normalizer of Whisper: A. Radford et
al., "Robust speech recognition via large-scale weak supervision", ICML 2023, appendix C.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "mr": "mister", "mrs": "missus", "missis": "missus", "ms": "miss", "dr": "doctor",
    "prof": "professor", "capt": "captain", "gen": "general", "col": "colonel", "lt": "lieutenant",
    "jr": "junior", "sr": "senior", "vs": "versus", "etc": "etcetera", "okay": "ok",
}  # fmt: skip
_APOSTROPHE = "\u2019"
_SIGNS = {"&": " and ", "%": " percent ", "+": " plus ", "@": " at "}
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_MONEY = re.compile(r"([$£€])\s?(\d[\d,]*)")
_CURRENCIES = {"$": "dollars", "£": "pounds", "€": "euros"}
_NUMBER = re.compile(r"(\d[\d,]*\d|\d)(?:\.(\d+))?(st|nd|rd|th)?\b")
_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)")
"""``[music]``, ``(laughs)``: nobody says it."""
_LONGEST_NUMBER = 12
"""Digits of a number that is read as one; longer ones are read digit by digit."""


def spoken_words(text: str) -> list[str]:
    """Words of English text in lower case, without punctuation, with numbers as words."""
    plain = unicodedata.normalize("NFKC", _ASIDE.sub(" ", text)).lower().replace(_APOSTROPHE, "'")
    plain = _MONEY.sub(lambda found: f"{found[2]} {_CURRENCIES[found[1]]}", plain)
    for sign, word in _SIGNS.items():
        plain = plain.replace(sign, word)
    plain = _NUMBER.sub(lambda found: f" {_number(*found.groups())} ", plain)
    # Accents go, so that `café` is `cafe`; letters stay.
    bare = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    words = re.sub(r"[^\w' ]|_", " ", bare).split()
    return [_WORDS.get(word, word) for word in (w.strip("'") for w in words) if word]


def _number(whole: str, part: str | None, ordinal: str | None) -> str:
    digits = whole.replace(",", "")
    if len(digits) > _LONGEST_NUMBER or (len(digits) > 1 and digits[0] == "0"):
        said = " ".join(_UNITS[int(digit)] for digit in digits)
    else:
        said = _cardinal(int(digits))
    if part:
        return f"{said} point {' '.join(_UNITS[int(digit)] for digit in part)}"
    return _ordinal(said) if ordinal else said


def _cardinal(number: int) -> str:
    for size, name in _SCALES:
        if number >= size:
            more = f" {_cardinal(number % size)}" if number % size else ""
            return f"{_cardinal(number // size)} {name}{more}"
    if number < len(_UNITS):
        return _UNITS[number]
    more = f" {_UNITS[number % 10]}" if number % 10 else ""
    return _TENS[number // 10] + more


def _ordinal(said: str) -> str:
    first, _, last = said.rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    else:
        last = last.removesuffix("y") + "ieth" if last.endswith("y") else f"{last}th"
    return f"{first} {last}".strip()
