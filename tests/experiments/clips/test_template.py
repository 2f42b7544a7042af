"""Templates of names: what they can say, and that nothing in them is run."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.clips.template import LONGEST, Template, facts_of

FACTS = facts_of(PurePosixPath("/speech/other/103/1240/103-1240-0000.flac"), {"sex": "F"})


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{stem.split('-')[0]}", "103"),
        ("{stem}", "103-1240-0000"),
        ("{parent.name}-{sex}", "1240-F"),
        ("{parent.parent.name}", "103"),
        ("{parts[-4]}", "other"),
        ("{stem[:3]}", "103"),
        ("{stem[-4:]}", "0000"),
        ("{name.removesuffix('.flac').upper()}", "103-1240-0000"),
        ("{stem.rsplit('-', 1)[0]}", "103-1240"),
        ("{{{stem[0]}}}", "{1}"),
        ("all", "all"),
    ],
)
def test_a_template_makes_a_text(text: str, made: str) -> None:
    assert Template.parse(text).fill(FACTS) == made


@pytest.mark.parametrize(
    "text",
    [
        "{__import__('os').system('true')}",
        "{stem.__class__}",
        "{stem.split.__self__}",
        "{().__class__.__bases__[0]}",
        "{stem.format(stem)}",
        "{stem.encode()}",
        "{stem.zfill(99999)}",
        "{stem * 9999999}",
        "{[x for x in stem]}",
        "{lambda: 1}",
        "{stem if stem else name}",
        "{stem := name}",
        "{f'{stem}'}",
        "{stem.split(sep='-')}",
        "{parts[::2]}",
        "{stem[parts]}",
        "{stem[0.5]}",
        "{open(stem)}",
        "{stem",
        "stem}",
        "{}",
        "{" + "(" * 250 + "}",
        "{stem" + ".lower()" * 100 + "}",
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Template.parse(text)


@pytest.mark.parametrize(
    "text", ["{age}", "{stem.split('-')[7]}", "{stem.split('-')}", "{suffix[9:]}", "{parent[0]}",
             "{stem.stem}", "{parts.lower()}", "{stem.split('')[0]}", "{stem.split(1)[0]}"],
)  # fmt: skip
def test_what_a_file_lacks_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Template.parse(text).fill(FACTS)


@given(st.text(max_size=LONGEST + 20) | st.text("{}stem.split('-')[0]parent:(),\" ", max_size=80))
def test_any_text_makes_a_text_or_a_value_error(text: str) -> None:
    try:
        made = Template.parse(text).fill(FACTS)
    except ValueError:
        return
    assert made.strip()
