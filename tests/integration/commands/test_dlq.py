"""`plantwatch dlq` on a real broker, with letters as a worker and a sink write them."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connections.kafka import client_config, ensure_topics, producer_config
from local_stack.free import free_ports
from models.cache import load_production
from plantwatch.configuration import with_changes
from plantwatch.messages import DeadLetter, score_event_from_bytes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from tests.support import plant, topics
from tests.support.commands import Command
from tests.support.small_training import cached_model, small_fleet
from tests.support.topics import Place, Sent
from tests.support.verdicts import verdict

pytestmark = pytest.mark.real

HUGE = Sent(b"m1", b"x" * 100_000)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Those of a pipeline with a small model and no registry; the topics are made."""
    cached_model(tmp_path / "models")
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    own = with_changes(settings, "model", cache=tmp_path / "models")
    own = with_changes(own, "mlflow", tracking_uri=away)
    ensure_topics(own)
    return own


def run(settings: Settings, folder: Path, *arguments: str) -> tuple[int, str]:
    """`plantwatch dlq` with these arguments: exit code, and all it says."""
    command = Command(folder / f"dlq-{len(list(folder.iterdir()))}", settings, "dlq", *arguments)
    return command.wait(), command.said


def bury(settings: Settings, origin: str, place: Place, sent: Sent, reason: str) -> str:
    """Put a dead letter on its topic, twice, as after a crash; its id."""
    letter = DeadLetter.of(origin, *place, *sent, reason=reason)
    producer = Producer(producer_config(settings))
    for _ in range(2):
        producer.produce(settings.topics.dead_letters, letter.to_bytes(), sent.key)
    assert producer.flush(60) == 0
    return letter.id


class Came(NamedTuple):
    """A message that a replay put on a topic."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, Any]


def since(settings: Settings, topic: str, begun: dict[int, int]) -> list[Came]:
    """What came after the offsets of `begun`, in order per partition."""
    came = []
    with closing(Consumer(client_config(settings) | {"group.id": "test"})) as consumer:
        consumer.assign([TopicPartition(topic, *one) for one in begun.items()])
        for _ in range(sum(topics.ends(settings, topic).values()) - sum(begun.values())):
            one = consumer.poll(60)
            assert one is not None
            headers = dict(cast("list[tuple[str, bytes]]", one.headers() or []))
            came.append(Came(one.partition() or 0, one.key(), one.value(), headers))
    return sorted(came, key=lambda one: one.partition)


# A person sees how many went no further, why and when, each once; then one of them in full.
def test_letters_are_listed_and_shown(settings: Settings, tmp_path: Path) -> None:
    one = plant.reading(small_fleet("test"), 0)
    late = [bury(settings, "readings", Place(3, offset), one, "late") for offset in (17, 18)]
    bury(settings, "scores", Place(3, 17), Sent(b"m1", b"\xffpoison"), "bad_event")
    code, said = run(settings, tmp_path, "list")
    assert code == 0
    assert max(map(len, said.splitlines())) <= 100
    rows = [line.split() for line in said.splitlines() if "/3/" in line]
    assert [(row[0], row[1], row[2], row[-1]) for row in rows] == [
        ("late", "readings", "2", late[1]),
        ("bad_event", "scores", "1", "scores/3/17"),
    ]
    assert "late" not in run(settings, tmp_path, "list", "--origin", "scores")[1]
    assert "no dead letters" in run(settings, tmp_path, "list", "--since", "2126-01-01")[1]

    code, said = run(settings, tmp_path, "show", late[0])
    assert code == 0
    assert "partition 3, offset 17" in said
    assert '"sensor_id": "FD001-engine-001"' in said
    assert "ff 70 6f 69 73 6f 6e" in run(settings, tmp_path, "show", "scores/3/17")[1]
    code, said = run(settings, tmp_path, "show", "readings/3/19")
    assert (code, len(said.splitlines())) == (65, 1)


# Of a replay a person is told first what will become of it, and must agree. Then the messages are
# back, byte for byte, in the order in which they first came, and say where they stood.
def test_a_replay_does_what_it_foretold(settings: Settings, tmp_path: Path) -> None:
    fleet, readings, scores = small_fleet("test"), settings.topics.readings, settings.topics.scores
    last = [rows.stop - 1 for rows in fleet.slices.values()]
    sent = [plant.reading(fleet, row) for row in plant.rows(fleet) if row not in last]
    places = topics.publish(settings, [*sent, HUGE])
    home = {one.key: at.partition for one, at in zip(sent, places, strict=False)}
    letters = {
        bury(settings, readings, places[-2], sent[-1], "late"): sent[-1],
        bury(settings, readings, places[-1], HUGE, "too_large"): HUGE,
    }
    for number, row in enumerate(last):
        one = plant.reading(fleet, row)
        where = Place(home[one.key], 1_000_000 - number)
        letters[bury(settings, readings, where, one, "too_many_machines")] = one
    gone = bury(settings, readings, Place(0, 2_000_000), HUGE, "too_large")
    verdicts = Sent(b"FD001-engine-001", verdict().to_bytes())
    refused_row = bury(settings, scores, Place(3, 17), verdicts, "store_refused")
    begun = topics.ends(settings, readings), topics.ends(settings, scores)

    code, foretold = run(settings, tmp_path, "replay", "--dry-run")
    assert code == 1
    assert f"refused {gone}: truncated" in foretold
    assert f"{len(last)} scored, 1 duplicate, 1 rejected" in foretold
    assert run(settings, tmp_path, "replay")[0] == 78  # there is nobody to ask
    assert (topics.ends(settings, readings), topics.ends(settings, scores)) == begun

    code, said = run(settings, tmp_path, "replay", "--yes")
    assert (code, said.startswith(foretold)) == (1, True)
    came = since(settings, readings, begun[0])
    origins = [one.headers["plantwatch-origin"].decode() for one in came]
    assert {name: (one.key, one.value) for name, one in zip(origins, came, strict=True)} == letters
    order = [(int(name.split("/")[1]), int(name.split("/")[2])) for name in origins]
    assert order == sorted(order)
    assert [one.partition for one in came] == [partition for partition, _ in order]
    [row] = since(settings, scores, begun[1])
    assert row == (3, *verdicts, {"plantwatch-origin": refused_row.encode()})


# A reading that the model failed on gets its verdict from today's model, on its own window, marked;
# once retention has removed what the window may need, it is refused.
def test_a_model_error_is_scored_anew(settings: Settings, tmp_path: Path) -> None:
    fleet, topic = small_fleet("test"), settings.topics.readings
    sent = [plant.reading(fleet, row) for row in plant.rows(fleet)]
    at = topics.publish(settings, sent)[-1]
    name = bury(settings, topic, at, sent[-1], "model_error")
    begun = topics.ends(settings, settings.topics.scores)

    code, said = run(settings, tmp_path, "replay", "--id", name, "--yes")
    assert code == 0, said
    [came] = since(settings, settings.topics.scores, begun)
    assert came.partition == at.partition
    assert came.headers == {"plantwatch-origin": name.encode(), "plantwatch-rescored": b"1"}
    event = score_event_from_bytes(came.value or b"")
    wanted = plant.offline(fleet, settings.window.length, load_production(settings))
    assert event.anomaly_score == pytest.approx(wanted[event.id], rel=0, abs=TOLERANCE)
    assert (event.partition, event.offset) == at

    topics.forget(settings, {at.partition: 1})
    code, said = run(settings, tmp_path, "replay", "--reason", "model_error", "--yes")
    assert (code, "retention" in said, "nothing to publish" in said) == (1, True, True)
