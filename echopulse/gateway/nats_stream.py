"""The stream and the bridge's place in it: created as declared, and refused where they exist otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from echopulse.gateway.nats_connection import connect, disconnect
from schemas.errors import EchoPulseError
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from nats.js import JetStreamContext

    from echopulse.gateway.nats_config import NatsConfig

#: The consumer by which the bridge reads.
BRIDGE = "kafka-bridge"
SUBJECTS = [f"{EVENTS}.>", f"{DLQ}.>"]
#: How many messages the bridge may hold unacknowledged, and after how many seconds they are delivered again.
MAX_ACK_PENDING, ACK_WAIT_S = 1_000, 15.0
_CHECKED = ("subjects", "retention", "discard", "storage", "num_replicas", "max_bytes", "duplicate_window")


def declared(config: NatsConfig) -> StreamConfig:
    """Return the stream as it is to be.

    What every durable consumer has acknowledged leaves it (`interest`); full, it refuses the new instead of dropping
    the old (`discard: new`), so that nothing which was acknowledged to a gateway is lost for want of room.
    """
    return StreamConfig(
        name=config.stream,
        subjects=SUBJECTS,
        retention=RetentionPolicy.INTEREST,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=config.replicas,
        max_bytes=config.max_bytes,
        duplicate_window=config.duplicate_window_s,
    )


async def ensure_stream(config: NatsConfig) -> None:
    """Create stream and consumer where they are missing.

    Raises EchoPulseError where no server answers, it has no JetStream, or they exist with another setting.
    """
    connection = await connect(config)
    try:
        stream = connection.jetstream(timeout=config.connect_timeout_s)
        await _ensure_stream(stream, declared(config))
        # Without a consumer there is no interest, and a message would be gone as soon as it was acknowledged.
        await _ensure_consumer(stream, config.stream)
    except (Error, TimeoutError) as error:
        raise EchoPulseError(
            f"stream {config.stream} at {config.address} cannot be used: {_said(error)}",
            "JetStream is on with `nats-server --jetstream`",
        ) from error
    finally:
        await disconnect(connection)


async def _ensure_stream(stream: JetStreamContext, wanted: StreamConfig) -> None:
    try:
        found = (await stream.stream_info(wanted.name or "")).config
    except NotFoundError:
        await stream.add_stream(wanted)
        return
    for name in _CHECKED:
        if getattr(found, name) != getattr(wanted, name):
            raise EchoPulseError(
                f"stream {wanted.name} exists with {name} = {getattr(found, name)}, not {getattr(wanted, name)}",
                f"change it with `nats stream edit {wanted.name}`, or nats.{name} in gateway.yaml",
            )


async def _ensure_consumer(stream: JetStreamContext, name: str) -> None:
    wanted = ConsumerConfig(
        durable_name=BRIDGE,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_ack_pending=MAX_ACK_PENDING,
        max_deliver=-1,
    )
    try:
        found = (await stream.consumer_info(name, BRIDGE)).config
    except NotFoundError:
        await stream.add_consumer(name, wanted)
        return
    for field in ("ack_policy", "ack_wait", "max_ack_pending", "max_deliver", "filter_subject"):
        if getattr(found, field) != getattr(wanted, field):
            raise EchoPulseError(
                f"consumer {BRIDGE} of {name} exists with {field} = {getattr(found, field)}, "
                f"not {getattr(wanted, field)}",
                "mend it with `nats consumer edit`",
            )


def _said(error: Exception) -> str:
    return (error.description or str(error)) if isinstance(error, APIError) else str(error) or "no answer in time"
