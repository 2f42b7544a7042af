"""Waiting messages: merged by param, in order, limited; bundles split without a parser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from voicegraph.app.osc._inbox import MOST_COMMANDS, MOST_PARAMS, Inbox, is_ours, split_bundle


def _message(address: str, *values: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


def _all(inbox: Inbox) -> list[bytes]:
    return [inbox.take() for _ in range(len(inbox))]


def test_new_value_of_a_param_replaces_the_waiting_one() -> None:
    inbox = Inbox()
    one, other = _message("/voicegraph/set", "a.b", 1.0), _message("/voicegraph/set", "a.c", 1.0)
    newer = _message("/voicegraph/set", "a.b", 2)
    short = [_message("/voicegraph/param/a/b", value) for value in (3, 4)]
    for message in (one, *short, other, newer):
        assert inbox.put(message)
    assert _all(inbox) == [short[1], other, newer]


def test_commands_are_kept_in_their_order() -> None:
    inbox = Inbox()
    commands = [_message("/voicegraph/mute", n % 2) for n in range(4)]
    for command in commands:
        inbox.put(command)
    assert _all(inbox) == commands


def test_waiting_messages_are_limited() -> None:
    inbox = Inbox()
    params = [inbox.put(_message("/voicegraph/set", f"a.p{n}", 1)) for n in range(300)]
    commands = [inbox.put(_message("/voicegraph/mute", 1)) for _ in range(300)]
    assert (sum(params), sum(commands)) == (MOST_PARAMS, MOST_COMMANDS)
    assert inbox.put(_message("/voicegraph/set", "a.p0", 2))
    assert len(_all(inbox)) == MOST_PARAMS + MOST_COMMANDS
    assert inbox.put(_message("/voicegraph/mute", 1))


@pytest.mark.parametrize(
    "address", ["/voicegraph", "/voicegraph/", "/voicegraph/sets", "/other/set", "//voicegraph/set"]
)
def test_other_addresses_are_seen_without_parsing(address: str) -> None:
    assert not is_ours(_message(address, 1))
    assert is_ours(_message("/voicegraph/param/a/b", 1))


_MESSAGES = st.builds(lambda n: _message("/voicegraph/mute", n), st.integers(0, 99))


def _bundle(parts: list[bytes]) -> bytes:
    head = OscBundleBuilder(IMMEDIATELY).build().dgram
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@given(st.recursive(_MESSAGES, lambda inner: st.lists(inner, max_size=4).map(_bundle)))
def test_bundles_are_split_as_the_parser_does(datagram: bytes) -> None:
    parsed = [timed.message.dgram for timed in OscPacket(datagram).messages]
    assert sorted(split_bundle(datagram)) == sorted(parsed)


@given(st.binary(max_size=80))
def test_random_bytes_are_split_or_refused(rest: bytes) -> None:
    try:
        found = list(split_bundle(b"#bundle\0" + rest))
    except ValueError:
        return
    inbox = Inbox()
    for message in found:
        inbox.put(message)
    assert len(_all(inbox)) <= len(found)
