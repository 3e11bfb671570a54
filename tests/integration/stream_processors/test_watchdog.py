"""What the watchdog sees of a real group."""

import pytest

from connections.kafka import ensure_topics
from local_stack.free import free_ports
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings
from stream_processors.watchdog import Watchdog
from tests.support import topics
from tests.support.waiting import until

pytestmark = pytest.mark.real


# A worker that was never given a partition has all that waits for its group to answer for, and
# until somebody commits nothing has changed.
def test_who_owns_nothing_sees_what_the_group_leaves(settings: Settings) -> None:
    ensure_topics(settings)
    topics.publish(settings, [topics.Sent(b"m1", b"{}")] * 3)
    dog = Watchdog(settings, list, lambda: 0)
    until(lambda: dog.look()[0] == 3)  # a new broker loads its groups
    assert dog.look() == dog.look()


# Who owns partitions answers for these alone.
def test_an_owner_sees_its_own_lag(settings: Settings) -> None:
    ensure_topics(settings)
    (place, _) = topics.publish(settings, [topics.Sent(b"m1", b"{}")] * 2)
    assert Watchdog(settings, lambda: [place.partition], lambda: 0).look()[0] == 2
    other = (place.partition + 1) % settings.kafka.partitions
    assert Watchdog(settings, lambda: [other], lambda: 0).look()[0] == 0


# A broker that does not answer is what holds the worker up: that is no stall.
def test_without_a_broker_there_is_no_lag(settings: Settings) -> None:
    away = with_changes(settings, "kafka", bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}")
    assert Watchdog(away, list, lambda: 0).look() == (None, None)
