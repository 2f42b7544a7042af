"""Recordings: a session that can be run again, to the bit, by somebody else."""
