"""A record of the topic `model.drift` as Airflow's watcher takes it."""

from __future__ import annotations

import json
import logging
from typing import Any

_LOG = logging.getLogger(__name__)


def told(message: Any) -> dict[str, Any] | None:  # noqa: ANN401 - confluent_kafka.Message
    """Return the drift that a record tells of, None for a record that tells of none: it is logged and passed over."""
    try:
        drift = json.loads(message.value() or b"")
    except ValueError as error:
        _LOG.warning("model.drift, offset %s: no JSON: %s", message.offset(), error)
        return None
    if not isinstance(drift, dict) or "id" not in drift:
        _LOG.warning("model.drift, offset %s: no drift: %s", message.offset(), drift)
        return None
    return drift
