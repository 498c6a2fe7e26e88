from __future__ import annotations

from bench.cpu import difference


def test_what_was_spent_is_told_the_most_first() -> None:
    """A process that began in between counts whole."""
    spent = difference({"kafka": 1.0, "s3": 2.0}, {"kafka": 1.5, "s3": 5.0, "python workers": 2.0})
    assert list(spent.items()) == [("s3", 3.0), ("python workers", 2.0), ("kafka", 0.5)]
