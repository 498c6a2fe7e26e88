"""What a fold's models may not read."""

from __future__ import annotations

import pyarrow as pa

from echopulse.training.fitting import but


def test_but() -> None:
    """A barred text is out however it is written down, as often as it comes; what is left keeps its order."""
    texts = pa.array(["new", "Cats  &amp; dogs", "cats & dogs", "other", "new"])
    assert but(texts, pa.array(["CATS & dogs"])).to_pylist() == ["new", "other", "new"]
    assert but(texts, pa.array([], pa.string())).to_pylist() == texts.to_pylist()
