"""The `echopulse` command: one module for each group of commands."""
