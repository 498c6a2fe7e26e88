"""A Kafka producer with bounds: on its queue, on every wait, and an error in one line where a bound is reached."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import EchoPulseError
from schemas.topics import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long a message may wait for the broker, retries included: a restarting broker is back by then.
DELIVERY_TIMEOUT_S = 120
#: How long what is queued may still take when another error has ended the work.
HASTY_FLUSH_S = 10.0
_METADATA_TIMEOUT_S = 10.0
_POLL_S = 0.1
_QUEUED_MESSAGES = 100_000
_QUEUED_KIBIBYTES = 128 * 1024

#: librdkafka's own log repeats what the errors below say; whoever wants it sets this logger's level.
CLIENT_LOG = logging.getLogger("echopulse.kafka")
CLIENT_LOG.setLevel(logging.CRITICAL)


def client_settings(bootstrap: str) -> dict[str, Any]:
    """Return librdkafka's settings of every producer here: idempotent (acks=all), lz4, in large batches.

    The partition follows from the key by the Java client's hash, so that a key has one partition number whoever writes.
    """
    return {
        "bootstrap.servers": bootstrap,
        "client.id": "echopulse-gateway",
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": 20,
        "batch.size": 1 << 20,
        "batch.num.messages": 50_000,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "partitioner": "murmur2_random",
    }


class BoundedProducer:
    """An idempotent producer (acks=all, lz4) with a bounded queue that makes the caller wait.

    `on_failure(error, message)` is called for each message that could not be delivered, from `poll`, `produce` and
    `flush`, in the caller's thread; a delivered one costs no call.
    """

    def __init__(
        self,
        bootstrap: str,
        on_failure: Callable[[KafkaError, Message], None],
        overrides: dict[str, Any] | None = None,
    ) -> None:
        """Set the client up; it connects by itself. `overrides` are librdkafka's own settings."""
        self.bootstrap = bootstrap
        self._last_error = ""
        self._producer = Producer(
            client_settings(bootstrap)
            | {
                "queue.buffering.max.messages": _QUEUED_MESSAGES,
                "queue.buffering.max.kbytes": _QUEUED_KIBIBYTES,
                "message.timeout.ms": DELIVERY_TIMEOUT_S * 1000,
                # Measured: a call for each delivered message costs 0.5 us, as much as the message itself.
                "delivery.report.only.error": True,
                "on_delivery": on_failure,
                "error_cb": self._remember,
            }
            | (overrides or {}),
            logger=CLIENT_LOG,
        )
        #: confluent-kafka's own, for a hot loop; BufferError from it is answered with `wait_for_room`.
        self.produce_now = self._producer.produce

    def __len__(self) -> int:
        """Messages and requests on their way."""
        return len(self._producer)

    def partitions(self, topic: str) -> list[int]:
        """Return the partitions of a topic. Raises EchoPulseError where no broker answers or the topic is missing."""
        try:
            known = self._producer.list_topics(topic, timeout=_METADATA_TIMEOUT_S).topics[topic]
        except KafkaException as error:
            raise no_broker(self.bootstrap, error) from error
        if known.error is not None:
            hint = "`echopulse up` and `echopulse ingest` create it"
            raise EchoPulseError(f"topic {topic} at {self.bootstrap}: {known.error.str()}", hint)
        return sorted(known.partitions)

    def produce(self, topic: str, value: bytes, key: str | bytes | None, **options: Any) -> None:  # noqa: ANN401 confluent-kafka's
        """Queue one message, waiting where the queue is full; options: partition, timestamp (ms), headers."""
        while True:
            try:
                self.produce_now(topic, value, key, **options)
            except BufferError:
                self.wait_for_room()
            except KafkaException as error:
                raise EchoPulseError(
                    f"Kafka at {self.bootstrap} takes no message on {topic}: {error.args[0].str()}"
                ) from error
            else:
                return

    def poll(self, timeout_s: float = 0.0) -> int:
        """Serve what has come back, waiting for it at most so long; return how much that was."""
        served: int = self._producer.poll(timeout_s)
        return served

    def wait_for_room(self) -> None:
        """Wait until messages have left the queue. Raises EchoPulseError when none does within DELIVERY_TIMEOUT_S."""
        before = len(self._producer)
        deadline = time.monotonic() + DELIVERY_TIMEOUT_S
        while time.monotonic() < deadline:
            self._producer.poll(_POLL_S)
            if len(self._producer) < before:
                return
        raise self._stuck(before)

    def flush(self, timeout_s: float) -> None:
        """Wait until every message is delivered or has failed. Raises EchoPulseError where some still wait then."""
        waiting = self._producer.flush(timeout_s)
        if waiting:
            raise self._stuck(waiting)

    def close(self) -> None:
        """Drop the connection; what was not flushed is lost, so flush first."""
        # The client's own close would wait for the broker without end.
        self._producer.purge(blocking=False)
        self._producer.close()

    def _remember(self, error: KafkaError) -> None:
        self._last_error = error.str()

    def _stuck(self, waiting: int) -> EchoPulseError:
        last = f"; the last error was: {self._last_error}" if self._last_error else ""
        return EchoPulseError(
            f"Kafka at {self.bootstrap} does not take the {waiting} messages that wait{last}",
            "see whether it runs: `echopulse status`",
        )


def no_broker(bootstrap: str, error: KafkaException) -> EchoPulseError:
    """Say that nothing answers there."""
    return EchoPulseError(
        f"no Kafka broker answers at {bootstrap}: {error.args[0].str()}",
        "`echopulse up` starts one; kafka.bootstrap in the settings names another",
    )
