"""Downloads locked jars in parallel, checks their digests and keeps them in the cache."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import requests
import stamina
from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from echopulse.stack.jars import Jar, JarGroup

_PARALLEL_DOWNLOADS = 6
_ATTEMPTS = 3
_READ_TIMEOUT_S = 30
_HINT = "check the network; a mirror goes into jgo's own settings, ~/.config/jgo.conf, section [repositories]"

logging.getLogger("jgo").setLevel(logging.ERROR)  # jgo warns of its sha1 check; ours is the sha256 below


class WrongDigestError(EchoPulseError):
    """A jar's bytes are not the ones that were locked."""


def maven_context(repository: Path, resolver: PythonResolver) -> MavenContext:
    """Return a Maven context that downloads into `repository` from jgo's configured repositories."""
    return MavenContext(
        resolver=resolver,
        repo_cache=repository,
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=_READ_TIMEOUT_S,
    )


def missing(group: JarGroup, folder: Path) -> list[Jar]:
    """Return the jars of a group whose cached file is absent or differs from its digest; reads every byte."""
    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        good = pool.map(lambda jar: _matches(folder / jar.filename, jar), group.jars)
    return [jar for jar, is_good in zip(group.jars, good, strict=True) if not is_good]


def fetch(group: JarGroup, folder: Path, on_bytes: Callable[[int], None] = lambda _: None) -> list[Path]:
    """Return the group's jars in `folder`, downloading those that are absent or damaged.

    `on_bytes` is called from several threads with the number of bytes of each chunk received.
    Raises EchoPulseError for a failed download or for bytes whose sha256 is not the locked one.
    """
    wanted = missing(group, folder)
    if wanted:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
                # A list, so that the first error is raised here and the others are awaited.
                list(pool.map(lambda jar: _download(jar, folder, on_bytes), wanted))
        except OSError as error:
            raise EchoPulseError(f"cannot keep jars in {folder}: {error}", "set `cache` to another folder") from error
    return [folder / jar.filename for jar in group.jars]


def _download(jar: Jar, folder: Path, on_bytes: Callable[[int], None]) -> None:
    try:
        for attempt in stamina.retry_context(
            on=(requests.RequestException, RuntimeError), attempts=_ATTEMPTS, wait_initial=0.5, timeout=300
        ):
            with attempt:
                _download_once(jar, folder, on_bytes)
    except (requests.RequestException, RuntimeError) as error:
        raise EchoPulseError(f"cannot download {jar.coordinate}: {_brief(error)}", _HINT) from error


def _download_once(jar: Jar, folder: Path, on_bytes: Callable[[int], None]) -> None:
    # A repository of its own per attempt: jgo leaves half a file behind when a download breaks off.
    repository = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        resolver = PythonResolver(progress_callback=lambda _name, _size: _progress(on_bytes))
        arrived = maven_context(repository, resolver).create_dependency(jar.coordinate).artifact.resolve()
        digest = _sha256(arrived)
        if digest != jar.sha256:
            raise WrongDigestError(
                f"{jar.coordinate} arrived with sha256 {digest}, but {jar.sha256} is locked", "nothing was kept"
            )
        arrived.replace(folder / jar.filename)
    finally:
        shutil.rmtree(repository)


@contextlib.contextmanager
def _progress(on_bytes: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
    yield on_bytes


def _matches(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
