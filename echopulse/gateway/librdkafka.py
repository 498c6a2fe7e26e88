"""librdkafka's own functions (rdkafka.h), which confluent-kafka brings along: what its Python calls do one by one.

confluent-kafka takes the interpreter's lock and makes a message of Python's for each report: 0.4 us, as much as the
message itself. Here a kernel reads the reports of a whole batch.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import confluent_kafka  # noqa: F401 loads the library
import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numba

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUE_FULL, TOO_LARGE = -184, 10
PURGE_ALL = 1 | 2
#: Types of an event.
REPORTS, LOG, FAULT = 0x1, 0x4, 0x8
_PRODUCER = 0
_REASON_BYTES = 512
_POINTER, _TEXT = ctypes.c_void_p, ctypes.c_char_p
#: Result and arguments.
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "conf_new": (_POINTER,),
    "conf_destroy": (None, _POINTER),
    "conf_set": (ctypes.c_int, _POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t),
    "conf_set_events": (None, _POINTER, ctypes.c_int),
    "new": (_POINTER, ctypes.c_int, _POINTER, _TEXT, ctypes.c_size_t),
    "set_log_queue": (ctypes.c_int, _POINTER, _POINTER),
    "topic_new": (_POINTER, _POINTER, _TEXT, _POINTER),
    "topic_destroy": (None, _POINTER),
    "queue_get_main": (_POINTER, _POINTER),
    "queue_destroy": (None, _POINTER),
    "produceva": (_POINTER, _POINTER, _POINTER, ctypes.c_size_t),
    "error_code": (ctypes.c_int, _POINTER),
    "error_destroy": (None, _POINTER),
    "outq_len": (ctypes.c_int, _POINTER),
    "purge": (ctypes.c_int, _POINTER, ctypes.c_int),
    "destroy": (None, _POINTER),
    "err2str": (_TEXT, ctypes.c_int),
    "event_type": (ctypes.c_int, _POINTER),
    "event_error_string": (_TEXT, _POINTER),
    "event_log": (ctypes.c_int, _POINTER, _POINTER, _POINTER, _POINTER),
    "event_destroy": (None, _POINTER),
}


@cache
def _library() -> ctypes.CDLL:
    """Return the library that confluent-kafka has loaded, wherever its build keeps it."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    found = re.search(r"\s(/\S*librdkafka\S*)$", maps, re.MULTILINE)
    if found is None:
        raise EchoPulseError(
            "confluent-kafka's build has librdkafka within itself", "install its wheel: `make bootstrap`"
        )
    return ctypes.CDLL(found.group(1))


@cache
def function(name: str) -> Any:  # noqa: ANN401 ctypes' functions have no type
    """Return one of _FUNCTIONS, by its name without `rd_kafka_`; it runs without the interpreter's lock."""
    called = getattr(_library(), f"rd_kafka_{name}")
    called.restype, *arguments = _FUNCTIONS[name]
    called.argtypes = arguments
    return called


def in_kernels(name: str, result: numba.types.Type, *arguments: numba.types.Type) -> Any:  # noqa: ANN401 numba's
    """Return a function for kernels, which are kept compiled and find it by its name."""
    symbol = f"rd_kafka_{name}"
    llvm.add_symbol(symbol, ctypes.cast(getattr(_library(), symbol), _POINTER).value)
    return numba.types.ExternalFunction(symbol, result(*arguments))


def reason_of(code: int) -> str:
    """Return what an error code means."""
    text: bytes = function("err2str")(code)
    return text.decode()


def new_producer(settings: Mapping[str, object]) -> int:
    """Make a producer that tells reports, faults and its log by events. Raises EchoPulseError for a bad setting."""
    conf, reason = function("conf_new")(), ctypes.create_string_buffer(_REASON_BYTES)
    for name, value in {**settings, "log.queue": True}.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if function("conf_set")(conf, name.encode(), text.encode(), reason, _REASON_BYTES):
            function("conf_destroy")(conf)
            raise EchoPulseError(f"Kafka's client takes no {name} = {text}: {reason.value.decode()}")
    function("conf_set_events")(conf, REPORTS | LOG | FAULT)
    producer: int | None = function("new")(_PRODUCER, conf, reason, _REASON_BYTES)
    if producer is None:
        function("conf_destroy")(conf)
        raise EchoPulseError(f"Kafka's client cannot be made: {reason.value.decode()}")
    function("set_log_queue")(producer, None)
    return producer


def address_of(content: bytes) -> int:
    """Return where bytes are, as long as somebody has them."""
    return ctypes.cast(ctypes.c_char_p(content), _POINTER).value or 0


def told(event: int) -> str:
    """Return what an event says that is a fault or a line of the log; the event is gone then."""
    text = b""
    if function("event_type")(event) == FAULT:
        text = function("event_error_string")(event) or b""
    else:
        facility, line, level = ctypes.c_char_p(), ctypes.c_char_p(), ctypes.c_int()
        if not function("event_log")(event, *map(ctypes.byref, (facility, line, level))):
            text = line.value or b""
    function("event_destroy")(event)
    return text.decode(errors="replace")
