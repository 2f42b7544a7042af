"""Opening ports: what goes wrong says what to type."""

from __future__ import annotations

import errno
import socket

import pytest

from voicegraph.app.control.addresses import Transport, listen, parse_address
from voicegraph.graph.errors import Problem, VoicegraphError


def _refused(text: str, transport: Transport) -> Problem:
    with pytest.raises(VoicegraphError) as caught:
        listen(parse_address(text, "--http", 8765), transport).close()
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_port_in_use_is_told_with_the_next(transport: Transport) -> None:
    with listen(parse_address("127.0.0.1:0", "--http", 8765), transport) as taken:
        port = taken.getsockname()[1]
        problem = _refused(f"127.0.0.1:{port}", transport)
    assert problem.code == "port-busy"
    assert str(port) in problem.message
    assert problem.fix is not None
    assert problem.fix.startswith(f"--http 127.0.0.1:{port % 65535 + 1} ")


def test_an_address_of_another_machine_is_told() -> None:
    problem = _refused("192.0.2.1:8765", "tcp")
    assert (problem.code, problem.fix) == ("no-such-host", "--http 127.0.0.1:8765")


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, "port-refused"), (errno.ENOBUFS, "cannot-listen")]
)
def test_whatever_the_system_says_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def bind(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(socket.socket, "bind", bind)
    problem = _refused("127.0.0.1:80", "tcp")
    assert problem.code == code
    assert problem.fix is not None
    assert problem.fix.startswith("--http 127.0.0.1:")


def test_small_answers_need_not_wait_for_more() -> None:
    """asyncio sets TCP_NODELAY for sockets of this protocol; without it an answer takes 40 ms."""
    with listen(parse_address("127.0.0.1:0", "--http", 8765), "tcp") as opened:
        assert opened.proto == socket.IPPROTO_TCP


def test_ipv6_stands_in_brackets() -> None:
    address = parse_address("[::1]:8765", "--http", 8765)
    assert str(address) == "[::1]:8765"
    assert (address.ip, address.family) == ("::1", socket.AF_INET6)
