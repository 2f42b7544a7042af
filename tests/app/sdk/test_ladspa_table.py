"""The C table of LADSPA plug-ins."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.sdk.ladspa_table import ControlPort, Plugin, c_text, plugin_table


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_c_text_is_the_same_text_in_utf8(text: str) -> None:
    literal = c_text(text)
    assert literal.isascii()
    assert "??" not in literal
    assert ast.literal_eval("b" + literal) == text.encode()


def test_table_counts_what_it_lists() -> None:
    port = ControlPort("a.b", "a.b", "LADSPA_HINT_DEFAULT_0", 0, 1)
    two = Plugin("two", "Two", "two", ("x=1", "y=2"), (1, 2), (port, port, port))
    none = Plugin("none", "None", "none", (), (1, 1), ())
    text = plugin_table([two, none])
    assert "OVERRIDES_0, 2, 1, 2, PARAMS_0, 3}," in text
    assert "OVERRIDES_1, 0, 1, 1, PARAMS_1, 0}," in text
