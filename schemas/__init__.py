"""Models of everything voicegraph reads or writes. Knows nothing of the rest of the package."""
