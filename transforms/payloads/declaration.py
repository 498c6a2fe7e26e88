"""What a platform declares of its payloads, and the part of it that payloads with some names at the top need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from transforms.payloads.paths import Path

if TYPE_CHECKING:
    from collections.abc import Mapping

Paths: TypeAlias = tuple[str, ...]
#: Values of `Payload.kinds` and of metadata["kind"].
KINDS = ("message", "edit", "reaction", "transcript", "delete", "join", "other")
#: Events of these kinds carry text.
TEXT_KINDS = KINDS[:4]
#: The key of `Payload.kinds` for event types that are not listed: their kind where they carry no text.
UNLISTED = "*"
#: The key of `Payload.text` for kinds of all sorts.
ANY = ""
#: At the top of payloads of all platforms: what files of the user's own hold, and transcripts of speech.
TEXT_FIELDS = ("text", "content", "message")
PLAIN_TEXT = (*TEXT_FIELDS, "segments[].text", "webvtt")
PLAIN_SHAPES = (("transcript", "segments[].text"), ("transcript", "webvtt"))
PLAIN_LANGUAGE = ("language",)


@dataclass(frozen=True)
class Markup:
    """A rewriting of texts that contain `mark`: an RE2 pattern and what stands for it."""

    mark: str
    pattern: str
    replacement: str


@dataclass(frozen=True)
class Emote:
    """How emotes are written within texts that contain `mark`: an RE2 pattern whose first group is the emote's code.

    The code takes the place of what was written; with `emoji` the emoji does, where the code is the name of one.
    """

    mark: str
    pattern: str
    emoji: bool = False


#: Names between colons, emoji among them; the time of day, 10:30:45, is none.
SHORTCODE = Emote(":", r"\B:([A-Za-z0-9_+-]*[A-Za-z][A-Za-z0-9_+-]*|[+-]1):(?::skin-tone-[2-6]:)?", emoji=True)
#: The characters that HTML does not leave as they are; the ampersand last, for it begins the others.
HTML_CHARACTERS = (
    Markup("&", "&lt;", "<"),
    Markup("&", "&gt;", ">"),
    Markup("&", "&quot;", '"'),
    Markup("&", "&#0?39;|&apos;", "'"),
    Markup("&", "&nbsp;", " "),
    Markup("&", "&amp;", "&"),
)


@dataclass(frozen=True)
class Payload:
    """Where a platform's JSON holds what an event says; see transforms.payloads.paths for the form of paths.

    Of several paths the first that holds a text which is not empty counts. All of them may begin at any of `roots`.
    """

    #: Values of SocialEvent.source, in lower case.
    sources: tuple[str, ...]
    #: By kind, and under ANY what counts where those lead to nothing; a list's texts are joined by spaces.
    text: Mapping[str, Paths] = field(default_factory=dict)
    roots: Paths = ("",)
    #: The platform's own name of the event's type, and its kind.
    type: Paths = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    #: Without a type: the kind whose path leads to something, the first that does.
    shapes: tuple[tuple[str, str], ...] = ()
    #: By kind: the id of the event that an edit, a delete or a reaction is about.
    target: Mapping[str, Paths] = field(default_factory=dict)
    reply_to: Paths = ()
    thread: Paths = ()
    language: Paths = ()
    #: Emote codes, beside those that `emote` finds in the text.
    emotes: Paths = ()
    emote: Emote | None = None
    #: In this order, after `emote`.
    markup: tuple[Markup, ...] = ()

    def plan(self) -> Plan:
        """Return all paths, at all roots."""

        def rooted(paths: Paths) -> tuple[Path, ...]:
            return tuple(Path.parse(f"{root}.{path}" if root else path) for path in paths for root in self.roots)

        def plain(own: tuple[Path, ...], paths: Paths) -> tuple[Path, ...]:
            return tuple(dict.fromkeys([*own, *map(Path.parse, paths)]))

        text = {kind: rooted(paths) for kind, paths in self.text.items()}
        text[ANY] = plain(text.get(ANY, ()), PLAIN_TEXT)
        shapes = [(kind, path) for kind, shape in self.shapes for path in rooted((shape,))]
        shapes += [(kind, Path.parse(shape)) for kind, shape in PLAIN_SHAPES]
        return Plan(
            text=tuple(text.items()),
            type=rooted(self.type),
            kinds=tuple(self.kinds.items()),
            shapes=tuple(shapes),
            target=tuple((kind, rooted(paths)) for kind, paths in self.target.items()),
            reply_to=rooted(self.reply_to),
            thread=rooted(self.thread),
            language=plain(rooted(self.language), PLAIN_LANGUAGE),
            emotes=rooted(self.emotes),
        )


ByKind: TypeAlias = tuple[tuple[str, tuple[Path, ...]], ...]


@dataclass(frozen=True)
class Plan:
    """The paths to read in some payloads; equal for platforms that hold them in the same places."""

    text: ByKind
    type: tuple[Path, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    shapes: tuple[tuple[str, Path], ...] = ()
    target: ByKind = ()
    reply_to: tuple[Path, ...] = ()
    thread: tuple[Path, ...] = ()
    language: tuple[Path, ...] = ()
    emotes: tuple[Path, ...] = ()

    @property
    def ids(self) -> tuple[Path, ...]:
        """The paths of ids, which may be numbers."""
        return (*(path for _, paths in self.target for path in paths), *self.reply_to, *self.thread)

    @property
    def words(self) -> tuple[Path, ...]:
        """The other paths."""
        texts = (path for _, paths in self.text for path in paths)
        return (*texts, *self.type, *(path for _, path in self.shapes), *self.language, *self.emotes)

    def within(self, names: frozenset[str]) -> Plan:
        """Return what is left of it for payloads that have none but these names at the top."""

        def kept(paths: tuple[Path, ...]) -> tuple[Path, ...]:
            return tuple(path for path in paths if path.top & names)

        def kept_by_kind(paths: ByKind) -> ByKind:
            return tuple((kind, left) for kind, each in paths if (left := kept(each)))

        types = kept(self.type)
        return Plan(
            text=kept_by_kind(self.text),
            type=types,
            kinds=self.kinds if types else (),
            shapes=tuple((kind, path) for kind, path in self.shapes if path.top & names),
            target=kept_by_kind(self.target),
            reply_to=kept(self.reply_to),
            thread=kept(self.thread),
            language=kept(self.language),
            emotes=kept(self.emotes),
        )
