"""What a source's configuration says is to be taken out of its events."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

EMAIL = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+"
#: International numbers, and national ones in groups: fewer than three groups is a price or a date as often. The last
#: form is the end of a time too (12:00:00.123-0500): what is before it is a group of its own, no digit and colon.
PHONE = (
    r"\+[0-9][0-9 ()./\-]{6,18}[0-9]"
    r"|\(?\b0?[0-9]{2,4}\)?(?:[ /\-][0-9]{3,4}[ ./\-]|\.[0-9]{3,4}[ ./])[0-9]{3,4}\b"
    r"|\(?\b(?:0[0-9]{2,4}|[0-9]{3,4})\)?\.[0-9]{3,4}-[0-9]{3,4}\b"
    r"|(^:?|[^0-9A-Za-z_:]|[^0-9]:)\(?[0-9]{2}\)?\.[0-9]{3,4}-[0-9]{3,4}\b"
)


class Rule(BaseModel):
    """A pattern (RE2) and what stands in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str
    replacement: str

    @field_validator("pattern", mode="after")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            pc.replace_substring_regex(pa.array([""]), pattern=pattern, replacement="")
        except pa.ArrowInvalid as error:
            raise ValueError(f"not a pattern of RE2: {error}") from None
        return pattern


class Redact(BaseModel):
    """What to take out. `users` is the key of the hash; `user_keys` are keys in the payload whose values are users."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: SecretStr | None = None
    user_keys: list[str] = []
    email: bool = False
    phone: bool = False
    rules: list[Rule] = []
