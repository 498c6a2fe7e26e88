"""Dead letters looked at, explained and replayed, each through exactly once."""
