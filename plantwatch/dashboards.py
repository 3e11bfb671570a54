"""Grafana's dashboards by name: alerts lead to them, and they to one another."""

from enum import StrEnum


class Dashboard(StrEnum):
    """A dashboard by its uid in Grafana, for ever: links that people kept have it."""

    FLOOR = "plantwatch-floor"
    MACHINE = "plantwatch-machine"
    PIPELINE = "plantwatch-pipeline"
    MODELS = "plantwatch-models"

    @property
    def path(self) -> str:
        """Where it is on a Grafana."""
        return f"/d/{self.value}"
