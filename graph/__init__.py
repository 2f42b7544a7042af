"""Signals, ports, the node base, the compiler, plans, sessions, drivers and the command line."""
