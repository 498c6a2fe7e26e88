"""Measures how fast the project is, each figure beside a peer that does the same work in the same run.

`make bench` runs all; `python -m bench e2e analysis` some; `--events N` makes it smaller for trying.
"""
