"""GET /events and /incidents: what is stored, newest first, page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.schemas import Instant, Problem, SensorId, Shape
from api.store import Store
from incidents import events as verdicts
from incidents import queries
from incidents.events import Event, Wanted
from incidents.queries import Choice, Incident, Phase
from plantwatch.instants import from_iso, to_datetime, to_microseconds
from plantwatch.settings import Api

Flag = Annotated[
    bool, BeforeValidator(lambda text: {"true": True, "false": False}.get(text, text), bool)
]
Cursor = Annotated[str, Field(pattern=r"^-?[0-9]{1,17}\.[0-9]{1,18}$")]
"""Where a page ended: microseconds since 1970, and the number of the row."""


class _Asked(BaseModel):
    """What the address may say; a condition that is left out holds for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensor_id: SensorId | None = None
    since: Instant | None = None
    limit: int | None = Field(default=None, ge=1, description="Rows of this page.")
    after: Cursor | None = Field(default=None, description="`next` of the page before.")


class AskedEvents(_Asked):
    """Verdicts with an event time from `since` on and before `until`."""

    until: Instant | None = None
    is_anomaly: Flag | None = None


class AskedIncidents(_Asked):
    """Incidents whose last anomalous verdict is of `since` or later."""

    severity: Literal["warning", "critical"] | None = None
    state: Phase | None = None


class EventPage(Shape):
    """The newest first; `next` leads to the page after this one, null: there is none."""

    events: Sequence[Event]
    next: str | None


class IncidentPage(Shape):
    """The last opened first; `next` leads to the page after this one, null: there is none."""

    incidents: Sequence[Incident]
    next: str | None


def router(store: Store, settings: Api) -> APIRouter:
    """The routes; each waits for PostgreSQL, in a thread."""
    routes = APIRouter(responses={503: {"model": Problem}})

    def rows_of(asked: _Asked) -> int:
        return min(asked.limit or settings.page_rows, settings.max_page_rows)

    @routes.get("/events")
    def events(asked: Annotated[AskedEvents, Query()]) -> EventPage:
        """Verdicts as the sink stored them, each once."""
        wanted = Wanted(asked.sensor_id, asked.is_anomaly, _time(asked.since), _time(asked.until))
        rows, before = rows_of(asked), _place(asked.after)
        found = store.ask(lambda connection: verdicts.page(connection, wanted, rows + 1, before))
        return EventPage(
            events=found[:rows],
            next=_next(rows, [_cursor(one.detected_at, one.id) for one in found]),
        )

    @routes.get("/incidents")
    def incidents(asked: Annotated[AskedIncidents, Query()]) -> IncidentPage:
        """Incidents, open and closed."""
        rows, before = rows_of(asked), _place(asked.after)
        found = store.ask(
            lambda connection: queries.page(connection, _choice(asked), rows + 1, before)
        )
        return IncidentPage(
            incidents=found[:rows],
            next=_next(rows, [_cursor(one.opened_at, one.id) for one in found]),
        )

    return routes


def _choice(asked: AskedIncidents) -> Choice:
    closed = None if asked.state is None else asked.state is Phase.CLOSED
    acknowledged = asked.state is Phase.ACKNOWLEDGED if closed is False else None
    return Choice(asked.sensor_id, asked.severity, closed, acknowledged, _time(asked.since))


def _time(text: str | None) -> datetime | None:
    time = None if text is None else from_iso(text)
    return None if time is None else to_datetime(time)


def _cursor(at: datetime, number: int) -> str:
    return f"{to_microseconds(at)}.{number}"


def _next(rows: int, cursors: Sequence[str]) -> str | None:
    """Where a page of `rows` ended, if there are more."""
    return cursors[rows - 1] if len(cursors) > rows else None


def _place(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    microseconds, _, number = cursor.partition(".")
    return to_datetime(max(int(microseconds), _FIRST)), int(number)


_FIRST = to_microseconds(datetime.fromisoformat("0001-01-01T00:00:00Z"))
