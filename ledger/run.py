"""The judge at work on the real servers, one partition at a time."""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Final

from ledger import sources
from ledger.evidence import Identity
from ledger.findings import Findings
from ledger.judge import Judge
from models.fetch import fetch_digest
from models.onnx_detector import OnnxDetector
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings
from producers import manifest
from producers.replay import event_time

_DIGEST: Final = re.compile("[0-9a-f]{64}")


def run(settings: Settings, manifests: Path, show: Callable[[int, int], None]) -> Findings:
    """Judge everything that the topics, the table and the commits say now.

    Args:
        settings: where all of it is.
        manifests: the folder of what producers know to be acknowledged; may be missing.
        show: told now and then how many messages were read, of how many.

    Raises:
        UnavailableError: a server or a topic is not there; the caller tells the person.
        ConfigError: PostgreSQL refuses; a person must mend it first.
        BadDataError: a manifest is damaged.
    """
    topics = sources.Topics(settings, show)
    acknowledged = acked(manifests, sources.cluster(settings))
    judge = Judge(settings, cache(partial(detector_of, settings)), acknowledged)
    letters = topics.letters(judge.unreadable_letter)
    with sources.table(settings) as table:
        for number in sorted(topics.partitions | table.partitions() | letters.keys()):
            rows = table.rows(number)
            judge.hear(topics.evidence(number, letters.pop(number, []), rows))
    return judge.close()


def acked(folder: Path, cluster: str) -> Iterator[Identity]:
    """The readings that the manifests of this cluster call acknowledged.

    Raises:
        BadDataError: a file is no manifest.
    """
    for path in sorted(folder.glob("*.json")):
        found = manifest.load(path)
        if found is not None and found.cluster == cluster:
            for engine, last in found.acked.items():
                name = found.sensor_id(engine)
                for cycle in range(1, last + 1):
                    yield name, cycle, event_time(found.origin, cycle)


def detector_of(settings: Settings, digest: str) -> OnnxDetector | None:
    """The model of a digest, from the cache or else the registry; None if neither can give it."""
    if not _DIGEST.fullmatch(digest):  # it comes from a message, and becomes a path
        return None
    try:
        return OnnxDetector(fetch_digest(settings, digest), digest, settings.anomaly)
    except (ConfigError, UnavailableError):
        return None
