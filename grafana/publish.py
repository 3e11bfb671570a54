"""Push everything to a Grafana, or say how the two differ.

All of it is looked at before anything is written: what must not be, is refused while nothing has
changed yet. Each thing has an identity of ours, so that a second push finds what the first left.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from grafana.server import Server
from grafana.spec import Json
from plantwatch.errors import PlantwatchError, RefusedError, UnfinishedError

FOLDER_UID: Final = "plantwatch"
_MARK: Final = "plantwatch push"


class State(StrEnum):
    """How something is on the server, compared with what it should be."""

    SAME = "same"
    MISSING = "missing"
    OLDER = "differs"
    EDITED = "edited by hand"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that should be there; `write` makes it so."""

    kind: str
    name: str
    state: State
    write: Callable[[], None]
    by: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} {self.state.value}{self.by and f' ({self.by})'}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a Grafana should have; secrets in `secureJsonData` of the sources."""

    folder: str
    sources: Sequence[Json]
    dashboards: Sequence[Json]
    contact_points: Sequence[Json] = ()
    rule_groups: Sequence[Json] = ()


def compare(server: Server, wanted: Wanted) -> list[Thing]:
    """Everything that should be there, and how it is, in the order in which it must be written.

    Raises:
        UnavailableError, ConfigError: the server does not answer, or not to this token.
    """
    return [
        _folder(server, wanted.folder),
        *(_source(server, one) for one in wanted.sources),
        *(_dashboard(server, one) for one in wanted.dashboards),
        *_contact_points(server, wanted.contact_points),
        *(_rule_group(server, one) for one in wanted.rule_groups),
    ]


def push(things: Sequence[Thing], *, force: bool = False) -> list[Thing]:
    """Write what is not the same; what was written.

    Raises:
        RefusedError: something was edited by hand, and `force` is not given; nothing was written.
        UnfinishedError: the server went away half way; the next push goes on.
    """
    edited = [one for one in things if one.state is State.EDITED]
    if edited and not force:
        raise RefusedError(
            f"{'; '.join(map(str, edited))}: nothing was pushed. `plantwatch grafana push --force` "
            "overwrites that; Grafana keeps the older versions of dashboards"
        )
    todo = [one for one in things if one.state is not State.SAME]
    for done, one in enumerate(todo):
        try:
            one.write()
        except PlantwatchError as error:
            if not done:
                raise
            raise UnfinishedError(
                f"{done} of {len(todo)} pushed, then {one.kind} {one.name!r} failed: {error}. "
                "Push again: it goes on where this one ended"
            ) from None
    return todo


def _folder(server: Server, title: str) -> Thing:
    found = server.folder(FOLDER_UID)
    if found is None:
        write = partial(server.make_folder, FOLDER_UID, title)
        return Thing("folder", title, State.MISSING, write)
    state = State.SAME if found["title"] == title else State.EDITED
    by = "" if state is State.SAME else f"it is called {found['title']!r}"
    return Thing("folder", title, state, partial(server.rename_folder, FOLDER_UID, title), by)


def _source(server: Server, wanted: Json) -> Thing:
    """Its password cannot be read back: it goes with whatever else changes."""
    found = server.source(wanted["uid"])
    open_part = {key: value for key, value in wanted.items() if key != "secureJsonData"}
    write = partial(server.put_source, wanted, exists=found is not None)
    return Thing("data source", wanted["name"], _state(open_part, found), write)


def _dashboard(server: Server, wanted: Json) -> Thing:
    """By the message of its newest version: Grafana itself changes the JSON that it keeps.

    What was saved last without our message, or lies in another folder, a person has moved.
    """
    uid, title = wanted["uid"], wanted["title"]
    message = f"{_MARK} {_digest(wanted)}"
    write = partial(server.put_dashboard, wanted, FOLDER_UID, message)
    found = server.dashboard(uid)
    if found is None:
        return Thing("dashboard", title, State.MISSING, write)
    newest = server.newest_version(uid)
    found_message = newest.get("message") or ""
    if not found_message.startswith(_MARK):
        by = f"version {newest.get('version', '?')}, by {newest.get('createdBy', 'somebody')}"
        return Thing("dashboard", title, State.EDITED, write, by)
    if found["meta"].get("folderUid") != FOLDER_UID:
        return Thing("dashboard", title, State.EDITED, write, "moved to another folder")
    return Thing("dashboard", title, State.SAME if found_message == message else State.OLDER, write)


def _contact_points(server: Server, wanted: Sequence[Json]) -> Iterator[Thing]:
    if not wanted:
        return
    by_uid = {one["uid"]: one for one in server.contact_points()}
    for point in wanted:
        found = by_uid.get(point["uid"])
        write = partial(server.put_contact_point, point, exists=found is not None)
        yield Thing("contact point", point["name"], _state(point, found), write)


def _rule_group(server: Server, wanted: Json) -> Thing:
    found = server.rule_group(FOLDER_UID, wanted["title"])
    write = partial(server.put_rule_group, FOLDER_UID, wanted)
    return Thing("rule group", wanted["title"], _state(wanted, found), write)


def _state(wanted: Json, found: Json | None) -> State:
    if found is None:
        return State.MISSING
    return State.SAME if _holds(found, wanted) else State.OLDER


def _holds(found: Any, wanted: Any) -> bool:
    """Whether all of `wanted` is in `found`, which may have more: what Grafana adds by itself."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _holds(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(_holds, found, wanted))
        )
    return bool(found == wanted)


def _digest(wanted: Json) -> str:
    text = json.dumps(wanted, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
