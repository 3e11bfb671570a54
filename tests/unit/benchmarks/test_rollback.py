"""The measurement of a rollback on a pipeline that stands still."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import rollback
from models import registry
from plantwatch.errors import UnavailableError, UnfinishedError
from producers import kafka
from tests.support.small_training import small_fleet, small_settings


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A registry of two versions, and a topic that nothing comes on; what is promoted."""
    promoted: list[int] = []
    versions = [SimpleNamespace(digest=str(n), version=n, production=n == 1) for n in (2, 1)]

    def silent(*_: Any, should_stop: Callable[[], bool], **__: Any) -> Iterator[bytes]:
        while not should_stop():
            pass
        yield from ()

    monkeypatch.setattr(registry, "list_versions", lambda _: versions)
    monkeypatch.setattr(registry, "set_production", lambda _, one: promoted.append(one))
    monkeypatch.setattr(rollback, "tail", silent)
    return promoted


# A worker that stands still ends the measurement in one line, and production is what it was.
def test_no_verdict_is_not_waited_for_for_ever(
    still: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "_PATIENCE_SEC", 0.0)
    monkeypatch.setattr(kafka, "replay", lambda *_, **__: None)
    with pytest.raises(UnavailableError, match="no verdict came"):
        list(rollback.run(small_settings(), small_fleet("test"), 1))
    assert still == [1]


# When nothing is published any more it ends, too, and says why.
def test_the_publishers_end_is_said(still: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UnfinishedError("Kafka refused a reading")

    monkeypatch.setattr(kafka, "replay", refuse)
    with pytest.raises(UnfinishedError, match="Kafka refused a reading"):
        list(rollback.run(small_settings(), small_fleet("test"), 1))
    assert still == [1]
