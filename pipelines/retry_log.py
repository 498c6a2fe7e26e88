"""What a Python worker says of retries: a line in Flink's log each.

By itself stamina logs through structlog, which prints and flushes; PyFlink's worker replaces `print` by a function that
knows no `flush`, so that a store which is away for a second would fail the job.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stamina.instrumentation import set_on_retry_hooks

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

_LOG = logging.getLogger(__name__)


def log_retries() -> None:
    """Have this process say of each retry which it is, why, and how long it waits, in s."""
    set_on_retry_hooks([_logged])


def _logged(details: RetryDetails) -> None:
    _LOG.warning(
        "retry %d in %.2f s, after %.1f s: %r",
        details.retry_num,
        details.wait_for,
        details.waited_so_far,
        details.caused_by,
    )
