"""Live sessions: a pipeline between a microphone and a speaker."""
