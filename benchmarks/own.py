"""Topics and groups of a measurement's own, so that it meets nobody."""

from typing import Final

from plantwatch.settings import Settings

_OUTPUTS: Final = ("scores", "anomalies", "dead_letters", "shadow_scores")


def own_run(settings: Settings, name: str) -> Settings:
    """The same readings; a worker's group and its outputs of this run's own."""
    own = own_topics(settings, name, *_OUTPUTS)
    group = {"group_id": f"{settings.worker.group_id}-{name}"}
    return own.model_copy(update={"worker": settings.worker.model_copy(update=group)})


def own_topics(settings: Settings, name: str, *fields: str) -> Settings:
    """The same topics, but these `fields` (all, if none is named) with a name of their own."""
    topics = settings.topics
    chosen = fields or tuple(type(topics).model_fields)
    names = {field: f"{getattr(topics, field)}-{name}" for field in chosen}
    return settings.model_copy(update={"topics": topics.model_copy(update=names)})
