"""Steering a live session from outside: HTTP, WebSocket and OSC."""
