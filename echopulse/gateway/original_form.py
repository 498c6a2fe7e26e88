"""How the original of a dead letter is to be read: what the gateway knew of it, in the letter's headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Form = Literal["object", "csv", "frame"]
Header = str | bytes | None
FORM_HEADER, MAPPING_HEADER, COLUMNS_HEADER, SHIFT_HEADER = "form", "mapping", "columns", "shift-ms"


@dataclass(frozen=True)
class OriginalForm:
    """What the bytes of a refused row are: a JSON `object` of fields, a `csv` row, or the `frame` of a live source.

    `mapping` is FIELD=COLUMN,... of a row, and of a frame the name or path of its mapping; `columns` are those of a
    CSV file; times were moved by `shift_ms`. A SocialEvent needs no such note.
    """

    form: Form
    mapping: str = ""
    columns: tuple[str, ...] = ()
    shift_ms: int = 0

    def headers(self) -> list[tuple[str, bytes]]:
        """Return it as headers of a Kafka record."""
        headers = [(FORM_HEADER, self.form.encode())]
        if self.mapping:
            headers.append((MAPPING_HEADER, self.mapping.encode()))
        if self.columns:
            headers.append((COLUMNS_HEADER, orjson.dumps(self.columns)))
        if self.shift_ms:
            headers.append((SHIFT_HEADER, str(self.shift_ms).encode()))
        return headers

    @classmethod
    def of(cls, headers: Mapping[str, bytes]) -> OriginalForm | None:
        """Read it from headers; None where they have none that is known. Raises ValueError for headers cut short."""
        form = headers.get(FORM_HEADER, b"").decode()
        if form not in {"object", "csv", "frame"}:
            return None
        return cls(
            form=form,  # type: ignore[arg-type] # looked at above
            mapping=headers.get(MAPPING_HEADER, b"").decode(),
            columns=tuple(orjson.loads(headers.get(COLUMNS_HEADER, b"[]"))),
            shift_ms=int(headers.get(SHIFT_HEADER, b"0")),
        )


def written_mapping(mapping: Mapping[str, str]) -> str:
    """Write field -> column as `--map` takes it."""
    return ",".join(f"{field}={column}" for field, column in mapping.items())


def header_values(headers: Mapping[str, Header] | Iterable[tuple[str, Header]] | None) -> dict[str, bytes]:
    """Return a record's headers as bytes by name; one without a value is left out."""
    return {
        name: value if isinstance(value, bytes) else value.encode()
        for name, value in dict(headers or ()).items()
        if value is not None
    }
