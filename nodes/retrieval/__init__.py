"""Nodes that bring features nearer to a voice: retrieval from an index of its own."""
