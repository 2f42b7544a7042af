"""Seeded fuzzing of every reader: mutated files may be read or refused, and nothing else.

``campaign`` runs cases in worker processes and counts; ``readers`` names the readers and makes the
valid files that ``mutation`` changes; ``worker`` is the process in which they are read.
"""
