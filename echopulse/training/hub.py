"""Find a checkpoint in Hugging Face's form: a folder, or one of the hub, fetched and pinned to its revision."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import errors, snapshot_download
from huggingface_hub.repocard import metadata_load

from schemas.errors import EchoPulseError
from transforms.artifact import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds to wait for the hub's word on a file; HF_HUB_DOWNLOAD_TIMEOUT (10) is that for the next bytes of one.
_TIMEOUT_S = 10.0
_CONFIG = "config.json"
_WEIGHTS = "*.safetensors"
#: Weights of older checkpoints. They are pickles; torch reads tensors alone out of them (weights_only).
_OLD_WEIGHTS = "pytorch_model*.bin"
_PATTERNS = (
    *(_CONFIG, "README.md", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
    *("*.model", "bpe.codes", "model.safetensors.index.json", "pytorch_model.bin.index.json"),
)
_HUB_ID = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class Source:
    """A checkpoint's files: its name, their folder, the commit they are of ('' for a folder of one's own)."""

    name: str
    folder: Path
    revision: str

    @property
    def weights(self) -> list[Path]:
        """The files of its weights: safetensors where there are any."""
        return sorted(self.folder.glob(_WEIGHTS)) or sorted(self.folder.glob(_OLD_WEIGHTS))

    @property
    def safe(self) -> bool:
        """Whether its weights are safetensors."""
        return any(self.folder.glob(_WEIGHTS))

    def declared(self) -> dict[str, Any]:
        """Return what a manifest says of it: name, revision, licence, and the digests of configuration and weights."""
        said: dict[str, Any] = {"checkpoint": self.name}
        if self.revision:
            said["revision"] = self.revision
        if licence := self._licence():
            said["licence"] = licence
        said["origin"] = {path.name: file_digest(path) for path in (self.folder / _CONFIG, *self.weights)}
        return said

    def _licence(self) -> str:
        card = self.folder / "README.md"
        if not card.is_file():
            return ""
        try:
            metadata = metadata_load(card) or {}
        except (ValueError, OSError) as error:
            raise EchoPulseError(f"{card}: its header cannot be read: {error}") from error
        return str(metadata.get("license", ""))


def find_checkpoint(named: str, progress: Callable[[str], None]) -> Source:
    """Return a checkpoint by its folder, else from the hub by its id, behind an @ a branch, tag or commit.

    The hub is HF_ENDPOINT where that is set; what is in its cache is not fetched again, and with HF_HUB_OFFLINE=1
    nothing is. Raises EchoPulseError where it is not there, cannot be reached, or has no weights.
    """
    folder = Path(named)
    source = Source(folder.resolve().name, folder, "") if folder.is_dir() else _fetched(named, progress)
    if not (source.folder / _CONFIG).is_file():
        raise EchoPulseError(f"{named} holds no {_CONFIG}", "a checkpoint in Hugging Face's form is wanted")
    if not source.weights:
        raise EchoPulseError(f"{named} holds no weights for PyTorch", f"wanted: {_WEIGHTS} or {_OLD_WEIGHTS}")
    return source


def _fetched(named: str, progress: Callable[[str], None]) -> Source:
    found = _HUB_ID.fullmatch(named)
    if found is None:
        raise EchoPulseError(f"no checkpoint '{named}'", "a folder, or an id of the hub: OWNER/NAME[@REVISION]")
    progress(f"fetching {named}")
    folder = _snapshot(found["id"], found["revision"], (*_PATTERNS, _WEIGHTS))
    if not any(folder.glob(_WEIGHTS)):
        folder = _snapshot(found["id"], folder.name, (*_PATTERNS, _OLD_WEIGHTS))
    return Source(found["id"], folder, folder.name)


def _snapshot(name: str, revision: str | None, patterns: tuple[str, ...]) -> Path:
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],
                etag_timeout=_TIMEOUT_S,
                endpoint=os.environ.get("HF_ENDPOINT"),
            )
        )
    except errors.RevisionNotFoundError as error:
        raise EchoPulseError(f"'{name}' has no revision '{revision}' on the hub") from error
    except errors.GatedRepoError as error:
        raise EchoPulseError(
            f"'{name}' is on the hub for those alone who accept its terms",
            "accept them there, then set HF_TOKEN",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise EchoPulseError(
            f"neither a folder nor a checkpoint of the hub is called '{name}'", "a private one needs HF_TOKEN"
        ) from error
    except (OSError, ValueError, errors.HTTPError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise EchoPulseError(f"'{name}' cannot be fetched from the hub: {reason}") from error
