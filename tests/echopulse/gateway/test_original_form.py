"""How an original is to be read, in headers."""

from __future__ import annotations

import pytest

from echopulse.gateway.original_form import OriginalForm, header_values, written_mapping


@pytest.mark.parametrize(
    "form",
    [
        OriginalForm("object"),
        OriginalForm("csv", "id=message_id,ts=when", ("message_id", 'a "quoted", column', "when"), shift_ms=-5),
        OriginalForm("frame", "/etc/my mapping.yaml"),
    ],
)
def test_a_form_comes_back_from_its_headers(form: OriginalForm) -> None:
    """Whole."""
    assert OriginalForm.of(dict(form.headers())) == form


def test_headers_without_a_known_form_say_nothing() -> None:
    """A letter of the job, or of something newer."""
    assert OriginalForm.of({"schema": b"1"}) is None
    assert OriginalForm.of({"form": b"parquet"}) is None


def test_a_mapping_is_written_as_it_is_read() -> None:
    """FIELD=COLUMN, with commas."""
    assert written_mapping({"id": "message_id", "ts": "when"}) == "id=message_id,ts=when"


def test_headers_are_bytes_by_name() -> None:
    """One without a value is left out."""
    assert header_values([("a", "1"), ("b", b"2"), ("c", None)]) == {"a": b"1", "b": b"2"}
    assert header_values(None) == {}
