"""Values of rows read one by one, where a batch holds one that does not fit: each becomes what it can, or a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from echopulse.gateway.rows import Faults


def each(values: Sequence[Any], convert: Callable[[Any], Any], faults: Faults) -> list[Any]:
    """Convert value by value, for a batch that holds one that does not fit or another form."""
    converted: list[Any] = []
    for position, value in enumerate(values):
        try:
            converted.append(None if value is None else convert(value))
        except ValueError as error:
            faults.setdefault(position, (_stage(error), str(error)))
            converted.append(None)
    return converted


def _stage(error: ValueError) -> str:
    return "parse" if isinstance(error, UnreadableTextError) else "validate"


class UnreadableTextError(ValueError):
    """A text that is not UTF-8."""


def text_of(value: object, name: str) -> str:
    """Return a text, or a whole number's digits. Raises ValueError for anything else, named `name`."""
    match value:
        case None | bool() | float() | list() | dict():
            raise ValueError(f"{name} is {_kind(value)}, not text")
        case str():
            return _checked(value, name)
    return str(value)


def _checked(value: str, name: str) -> str:
    """Refuse half a surrogate pair, which stands for a byte that was not UTF-8 or an escape that no text can hold."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UnreadableTextError(f"{name} is not UTF-8 text: {error.reason} at character {error.start}") from None
    return value


def payload_of(value: object) -> bytes:
    """Return bytes as they are, text in UTF-8, any other JSON value serialised. Raises ValueError."""
    if isinstance(value, bytes):
        return value
    return _checked(value, "raw").encode() if isinstance(value, str) else orjson.dumps(value)


def flat_object(value: object) -> dict[str, str]:
    """Read one metadata object. Raises ValueError naming the key that does not fit."""
    pairs = value.items() if isinstance(value, dict) else _pairs(value)
    return {text_of(key, "a key of meta"): _item(item, key) for key, item in pairs if item is not None}


def _pairs(value: object) -> list[tuple[Any, Any]]:
    if not isinstance(value, list):
        raise ValueError(  # noqa: TRY004 - bad data, not a wrong call
            f"meta is {_kind(value)}, neither an object nor a list of pairs"
        )
    pairs = []
    for entry in value:
        match entry:
            case {"key": key, "value": item}:
                pairs.append((key, item))
            case [key, item]:
                pairs.append((key, item))
            case _:
                raise ValueError(f"meta holds {_kind(entry)} where a pair of key and value belongs")
    return pairs


def _item(item: object, key: object) -> str:
    match item:
        case str():
            return _checked(item, f"meta.{key}")
        case bool() | int() | float():
            return orjson.dumps(item).decode()
    raise ValueError(f"meta.{key} is {_kind(item)}, not text")


_KINDS = {
    bool: "a truth value",
    float: "a number",
    int: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), f"a {type(value).__name__}")
