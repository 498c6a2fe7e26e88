"""The written mapping from any JSON to a SocialEvent: its form, its checks and where mappings are found."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from echopulse.gateway.declaration import parse_declaration, read_declaration
from echopulse.gateway.mapping_paths import Keys, parse_path, parse_pattern
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

TimeFormat = Literal["iso", "s", "ms", "us"]
JsonPath = Annotated[Keys, BeforeValidator(parse_path)]
Template = Annotated[tuple[str | Keys, ...], BeforeValidator(parse_pattern)]


def _path_form(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Part):
    """Where a field's value comes from: one of `path`, `constant`, `template` and `paths` (joined by `join`).

    A path alone may be written as plain text. `default` stands in where the frame has no value, or null, there.
    """

    path: JsonPath | None = None
    constant: str | None = None
    template: Template | None = None
    paths: Annotated[list[JsonPath], Field(min_length=1)] | None = None
    join: str = "/"
    default: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        _exactly_one(self, ("path", "constant", "template", "paths"))
        return self


class Time(_Part):
    """Where the event time is and how it is written: ISO 8601 (without offset: UTC), or s, ms or us since 1970."""

    path: JsonPath
    format: TimeFormat = "iso"


class Condition(_Part):
    """What a frame must hold to be an event: the value at `path` equals one, is (not) in a list, or exists."""

    path: JsonPath
    equals: Any = None
    in_: Annotated[list[Any] | None, Field(alias="in")] = None
    not_in: list[Any] | None = None
    exists: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        _exactly_one(self, ("equals", "in", "not_in", "exists"))
        return self


Origin = Annotated[Value, BeforeValidator(_path_form)]


class Mapping(_Part):
    """How a source's JSON frames become SocialEvents. The frame itself is kept whole as raw_payload.

    `text` is where the text to analyse stands; its value goes into metadata["text"], which the job reads before the
    payload. A frame that fails a condition of `when` is filtered out; it is no failure.
    """

    source: Annotated[str, Field(min_length=1)]
    when: list[Condition] = []
    id: Origin
    ts: Annotated[Time, BeforeValidator(_path_form)]
    channel: Origin
    user: Origin
    text: Origin | None = None
    metadata: dict[str, Origin] = {}

    @model_validator(mode="after")
    def _text_once(self) -> Self:
        if self.text is not None and "text" in self.metadata:
            raise ValueError("text and metadata.text are both given; keep one")
        return self


def load_mapping(name: str) -> Mapping:
    """Read a mapping file, or a packaged mapping by its name. Raises EchoPulseError with file, key and near miss."""
    packaged = _packaged()
    if name in packaged:
        return parse_declaration(packaged[name].read_text(encoding="utf-8"), Mapping, f"mappings/{name}.yaml")
    if not Path(name).suffix and not Path(name).exists():
        raise EchoPulseError(f"no mapping '{name}': neither a file nor a packaged one", did_you_mean(name, packaged))
    return read_declaration(Path(name), Mapping)


def lasting_name(name: str) -> str:
    """Return a name by which `load_mapping` finds the mapping from any folder."""
    return name if name in _packaged() else str(Path(name).resolve())


def _packaged() -> dict[str, Traversable]:
    folder = files("echopulse.gateway") / "mappings"
    return {entry.name.removesuffix(".yaml"): entry for entry in folder.iterdir() if entry.name.endswith(".yaml")}


def _exactly_one(part: BaseModel, keys: tuple[str, ...]) -> None:
    names = {field.alias or name: name for name, field in type(part).model_fields.items()}
    given = [key for key in keys if names[key] in part.model_fields_set]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ValueError(f"exactly one of {', '.join(keys)} is needed, there is {found}")
