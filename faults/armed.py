"""A process that obeys orders to die: its functions wrapped at every failpoint of its role.

`commands.armed` is such a process.
"""

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any, Final

from faults.orders import Orders
from faults.points import POINTS, Point, Role

ORDERS: Final = "PLANTWATCH_ORDERS"
"""Variable: the folder of the process's orders."""
SABOTAGE: Final = "PLANTWATCH_SABOTAGE"
"""Variable: the name of one of `faults.sabotage`'s defects, or nothing."""


def arm(role: Role, orders: Orders) -> None:
    """Let this process look for orders at each point of its role."""
    for name, point in POINTS.items():
        if point.role is role:
            _wrap(point, functools.partial(orders.obey, name))


def owner(point: Point) -> tuple[Any, str]:
    """The class or module that has the point's function, and its name there.

    Raises:
        AttributeError: there is no such function (any more).
    """
    found: Any = importlib.import_module(point.module)
    *path, name = point.name.split(".")
    for part in path:
        found = getattr(found, part)
    getattr(found, name)
    return found, name


def _wrap(point: Point, obey: Callable[[], None]) -> None:
    where, name = owner(point)
    function = getattr(where, name)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            obey()
        result = function(*args, **kwargs)
        if point.when == "after":
            obey()
        return result

    @functools.wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            obey()
        result = await function(*args, **kwargs)
        if point.when == "after":
            obey()
        return result

    setattr(where, name, awaited if inspect.iscoroutinefunction(function) else wrapped)
