"""The OSC interface of a live session: a UDP server and feedback to controllers."""

__all__ = ["server"]
