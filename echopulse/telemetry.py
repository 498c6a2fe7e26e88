"""Logging: JSON lines in a file for machines, short lines on stderr for people; stdout is left to results."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import Processor

#: Five files of 16 MiB at most: a log must not fill the disk.
FILE_BYTES = 16 * 1024 * 1024
FILES = 5

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def configure(file: Path | None = None, *, level: str = "INFO", stderr_level: str = "WARNING") -> None:
    """Send everything from `level` on to `file` (JSON, times UTC) and from `stderr_level` on to stderr.

    Other libraries' standard logging takes the same way. Calling it again replaces what the last call set.
    Raises OSError where the file cannot be opened.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handlers: list[logging.Handler] = [_stderr(stderr_level)]
    if file is not None:
        handlers.append(_json(file, level))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if getattr(old, "echopulse", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.echopulse = True  # type: ignore[attr-defined] # marks our own: handlers of others stay
        root.addHandler(handler)
    root.setLevel(min(handler.level for handler in handlers))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of one module: `logger(__name__).info("replayed", events=n)`."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def _stderr(level: str) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    handler.setFormatter(_formatter(console))
    return handler


def _json(file: Path, level: str) -> logging.Handler:
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")
    handler.setLevel(level)
    # No values of variables: among them may be a secret or a person's message.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    exceptions = structlog.processors.ExceptionRenderer(tracebacks)
    handler.setFormatter(_formatter(exceptions, structlog.processors.JSONRenderer()))
    return handler


def _formatter(*renderers: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=list(_SHARED),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )
