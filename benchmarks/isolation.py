"""Topics and groups of a measurement's own, so that it meets neither users nor another run."""

from typing import Final

from plantwatch.configuration import with_changes
from plantwatch.settings import Settings

_OUTPUTS: Final = ("scores", "anomalies", "dead_letters", "shadow_scores")


def isolated_worker(settings: Settings, name: str) -> Settings:
    """The settings of a worker with the same readings, and a group and outputs of its own."""
    own = isolated_topics(settings, name, *_OUTPUTS)
    return with_changes(own, "worker", group_id=f"{settings.worker.group_id}-{name}")


def isolated_topics(settings: Settings, name: str, *fields: str) -> Settings:
    """The settings with these `fields` of `topics` (all, if none is named) ending in `name`."""
    topics = settings.topics
    chosen = fields or tuple(type(topics).model_fields)
    names = {field: f"{getattr(topics, field)}-{name}" for field in chosen}
    return with_changes(settings, "topics", **names)
