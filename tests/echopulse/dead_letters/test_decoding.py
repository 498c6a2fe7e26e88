"""What an original says."""

from __future__ import annotations

from echopulse.dead_letters.decoding import decoded, hex_lines
from echopulse.gateway.event_time import iso
from echopulse.gateway.original_form import OriginalForm
from tests.echopulse.dead_letters.letters import NOW_MS, event, letter


def test_an_event_is_told_in_the_names_of_its_json_form() -> None:
    """Its time in ISO 8601, its payload as text."""
    assert decoded(letter(event("e", raw=b"\xff"))) == {
        "id": "e",
        "ts": iso(NOW_MS),
        "source": "test",
        "channel": "c:1",
        "user": "u",
        "raw": "�",
        "meta": {},
    }


def test_a_broken_event_is_told_up_to_where_it_breaks() -> None:
    """The rest is in its bytes."""
    found = decoded(letter(event("cut")[:-1]))
    assert found is not None
    assert found["fields"][0] == ["id", "cut"]
    assert found["at_byte"] > 0
    assert found["broken"]


def test_a_document_is_told_whole_and_other_bytes_not_at_all() -> None:
    """Rows and frames."""
    assert decoded(letter(b'{"a": [1]}', form=OriginalForm("object"))) == {"document": {"a": [1]}}
    assert decoded(letter(b'{"a": ', form=OriginalForm("frame"))) is None


def test_bytes_are_shown_in_lines_of_sixteen() -> None:
    """Offset, digits and what can be printed; no more than is asked for."""
    assert hex_lines(bytes(range(0x3E, 0x50)), 100) == [
        "00000000  3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d  >?@ABCDEFGHIJKLM",
        "00000010  4e 4f                                            NO",
    ]
    assert hex_lines(b"\x00\xff" * 20, 3) == ["00000000  00 ff 00                                         ..."]
