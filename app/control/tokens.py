"""Tokens that clients of HTTP must send: made, checked, and asked for where they are needed."""

from __future__ import annotations

import secrets
import sys

from voicegraph.graph.errors import Problem, VoicegraphError

from .addresses import LOOPBACK, Address

SHORTEST_TOKEN = 16
_TOKEN_BYTES = 24


def new_token() -> str:
    """A random token of 32 characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def check_token(token: str) -> None:
    """The token is sent in a header, so it must be printable ASCII.

    Raises:
        VoicegraphError: if it is not, or is too short.
    """
    if len(token) < SHORTEST_TOKEN:
        text = f"the token has {len(token)} characters, expected at least {SHORTEST_TOKEN}"
        raise VoicegraphError(Problem("weak-token", text, fix=_how_to_make_one()))
    if not all("!" <= character <= "~" for character in token):
        text = "the token must consist of printable ASCII characters without spaces"
        raise VoicegraphError(Problem("weak-token", text, fix=_how_to_make_one()))


def token_required(address: Address, alone: str | None = None) -> Problem:
    """The problem that other machines can connect, and no token was given.

    Args:
        address: where the server would listen.
        alone: what to type so that only this machine can; by default the option with loopback.
    """
    option = address.option
    text = f"{option} {address} can be reached from other machines, so it needs a token"
    own = alone or f"{option} {LOOPBACK}:{address.port}"
    return Problem(
        "needs-token", text, fix=f"{_how_to_make_one()}\nor, for this machine only: {own}"
    )


def _how_to_make_one() -> str:
    """How to make a token and pass it on: process lists show options, but not variables."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    make = f'{python} -c "import secrets; print(secrets.token_urlsafe(24))"'
    return (
        f"{make}\nthen pass the output in the environment variable VOICEGRAPH_TOKEN or with --token"
    )
