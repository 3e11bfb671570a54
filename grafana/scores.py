"""What scores look like, on whichever dashboard they are."""

from typing import Final

from grafana.spec import Steps
from plantwatch.settings import Settings

THRESHOLD: Final = 0.5
"""That of every model: what `anomaly_score` is at it, see `plantwatch.messages`."""


def score_steps(settings: Settings) -> Steps:
    """Close to the threshold, above it, critical."""
    return (
        (None, "green"),
        (settings.grafana.close_score, "yellow"),
        (THRESHOLD, "orange"),
        (settings.anomaly.critical_score, "red"),
    )
