"""Follow a topic as it grows, outside any consumer group."""

from collections.abc import Callable, Generator

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, TopicPartition

from connections.kafka import looker_config, no_broker
from connections.span import partitions
from plantwatch.settings import Settings


def tail(
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[bytes, None, None]:
    """Yield the values of a topic's messages, in order per partition, and wait for more.

    Commits nothing and disturbs nobody; ends soon after `should_stop`, by closing the generator, or
    with Ctrl-C.

    Raises:
        UnavailableError, ConfigError: no broker answers, it refuses us, or the topic is not there;
            the caller tells the person.
    """
    consumer = Consumer(looker_config(settings))
    start = OFFSET_BEGINNING if from_beginning else OFFSET_END
    try:
        consumer.assign(
            [TopicPartition(topic, number, start) for number in partitions(consumer, topic)]
        )
        while not should_stop():
            # Not without a timeout: Ctrl-C is only noticed between two polls.
            message = consumer.poll(0.5)
            if message is not None and message.error() is None and (value := message.value()):
                yield value
    except KafkaException as error:
        raise no_broker(settings, error) from None
    finally:
        consumer.close()
