"""Agents that send and receive by clients of Kafka, with the broker for tests that librdkafka has inside of it.

Each client sends messages from inside a run, pulls one, and runs an agent for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import confluent_kafka

from tests.layers.agents import agent

_BEGINNING = {"auto.offset.reset": "earliest"}
_WAIT_S = 60.0


def sending(name: str, send: Callable[[bytes], Any]) -> Any:
    def node(state: dict[str, Any]) -> dict[str, Any]:
        for number in (1, 2):
            send(f"{name} {number}".encode())
        return {}

    return agent(f"{name}_sender", node)


def by_confluent_kafka(brokers: str, producer: Any) -> None:
    sending("confluent", lambda body: producer.produce("confluent", body)).invoke({"text": ""})
    assert producer.flush(_WAIT_S) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "confluent", **_BEGINNING})
    consumer.subscribe(["confluent"])
    messages: list[Any] = []
    while len(messages) < 2:
        messages += [one for one in consumer.consume(1, timeout=1.0) if one.error() is None]
        if len(messages) == 1:
            agent("confluent_receiver").invoke({"text": messages[0].value().decode()})
    consumer.close()


async def by_aiokafka(brokers: str) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async with AIOKafkaProducer(bootstrap_servers=brokers) as producer:

        async def node(state: dict[str, Any]) -> dict[str, Any]:
            for number in (1, 2):
                await producer.send_and_wait("aio", f"aio {number}".encode())
            return {}

        await agent("aio_sender", node).ainvoke({"text": ""})
    async with AIOKafkaConsumer("aio", bootstrap_servers=brokers, auto_offset_reset="earliest") as consumer:
        message = await consumer.getone()
        await agent("aio_receiver").ainvoke({"text": (message.value or b"").decode()})


def main() -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=_WAIT_S).brokers.values()
    brokers = f"{broker.host}:{broker.port}"
    by_confluent_kafka(brokers, producer)
    asyncio.run(by_aiokafka(brokers))


if __name__ == "__main__":
    main()
