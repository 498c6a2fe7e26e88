"""The packaged vocabulary of the simulator, one file a language."""
