"""Parsing addresses and opening ports; each error says what to type."""

from __future__ import annotations

import errno
import socket

import pytest

from voicegraph.app.control.addresses import Transport, listen, parse_address
from voicegraph.graph.errors import Problem, VoicegraphError


def _listen_problem(text: str, transport: Transport) -> Problem:
    with pytest.raises(VoicegraphError) as caught:
        listen(parse_address(text, "--http", 8765), transport).close()
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_port_in_use_suggests_the_next_port(transport: Transport) -> None:
    with listen(parse_address("127.0.0.1:0", "--http", 8765), transport) as taken:
        port = taken.getsockname()[1]
        problem = _listen_problem(f"127.0.0.1:{port}", transport)
    assert problem.code == "port-busy"
    assert str(port) in problem.message
    assert problem.fix is not None
    assert problem.fix.startswith(f"--http 127.0.0.1:{port % 65535 + 1} ")


def test_address_of_another_machine_is_an_error() -> None:
    problem = _listen_problem("192.0.2.1:8765", "tcp")
    assert (problem.code, problem.fix) == ("no-such-host", "--http 127.0.0.1:8765")


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, "port-refused"), (errno.ENOBUFS, "cannot-listen")]
)
def test_system_errors_have_code_and_fix(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def bind(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(socket.socket, "bind", bind)
    problem = _listen_problem("127.0.0.1:80", "tcp")
    assert problem.code == code
    assert problem.fix is not None
    assert problem.fix.startswith("--http 127.0.0.1:")


def test_tcp_socket_gets_no_delay_in_asyncio() -> None:
    """asyncio sets TCP_NODELAY for this protocol; otherwise a small response takes 40 ms."""
    with listen(parse_address("127.0.0.1:0", "--http", 8765), "tcp") as opened:
        assert opened.proto == socket.IPPROTO_TCP


def test_ipv6_address_is_parsed_in_brackets() -> None:
    address = parse_address("[::1]:8765", "--http", 8765)
    assert str(address) == "[::1]:8765"
    assert (address.ip, address.family) == ("::1", socket.AF_INET6)
