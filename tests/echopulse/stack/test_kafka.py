"""The broker's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.stack.kafka import Kafka

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings


def test_one_broker_is_enough_for_everything(stack_settings: StackSettings) -> None:
    """Internal topics ask for one replica, and transactions may last as long as a patient checkpoint."""
    properties = Kafka(stack_settings).properties()
    assert {properties[key] for key in properties if key.endswith(("replication.factor", "min.isr"))} == {1}
    assert properties["transaction.max.timeout.ms"] == 900_000
    assert properties["auto.create.topics.enable"] == "false"


def test_it_listens_on_this_machine_only(stack_settings: StackSettings) -> None:
    """Both listeners are on the loopback address, with the ports of the settings."""
    kafka = Kafka(stack_settings)
    assert kafka.properties()["listeners"] == "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
    assert kafka.address == "127.0.0.1:19092"
    assert [port.number for port in kafka.ports] == [19092, 19093]


def test_no_broker_is_not_ready(stack_settings: StackSettings) -> None:
    """The health check answers with a reason, it does not raise."""
    unused = type(stack_settings)(home=stack_settings.home, kafka_port=1)
    assert Kafka(unused).unready().startswith("no metadata: ")
