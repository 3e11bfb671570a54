"""Orders to die: whom they reach, when, and that every failpoint is a function that exists."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.armed import arm, owner
from faults.orders import Action, Orders
from faults.points import POINTS, Role
from tests.support.waiting import until

PASSING = """
import sys, time
from pathlib import Path
from faults.orders import Orders
orders = Orders(Path(sys.argv[1]))
for number in range(1, 1_000_000):
    print(number, flush=True)
    orders.obey("here")
    time.sleep(0.01)
"""


@pytest.fixture
def passing(tmp_path: Path) -> Callable[[], "subprocess.Popen[str]"]:
    """Starts a process that passes the point `here` again and again, and says how often."""

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", PASSING, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )

    return start


# Ordered to die at the third pass, a process makes three and is gone as by kill -9; its order too.
def test_an_order_to_die_is_carried_out_once_and_in_time(
    tmp_path: Path, passing: Callable[[], "subprocess.Popen[str]"]
) -> None:
    orders = Orders(tmp_path)
    orders.give("here", Action.KILL, passes=3)
    output, _ = passing().communicate()
    assert output.split() == ["1", "2", "3"]
    assert not orders.pending("here")


# A stopped process stands still until it is continued, and obeys the next order.
def test_an_order_to_stop_can_be_healed(
    tmp_path: Path, passing: Callable[[], "subprocess.Popen[str]"]
) -> None:
    orders = Orders(tmp_path)
    orders.give("here", Action.STOP)
    process = passing()
    until(lambda: not orders.pending("here"))
    orders.give("here", Action.KILL)
    assert orders.pending("here")
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == -signal.SIGKILL


# Of two processes that pass the point, one dies and the other goes on.
def test_an_order_is_for_one(
    tmp_path: Path, passing: Callable[[], "subprocess.Popen[str]"]
) -> None:
    orders = Orders(tmp_path)
    both = [passing(), passing()]
    orders.give("here", Action.KILL)
    until(lambda: any(one.poll() is not None for one in both))
    (left,) = (one for one in both if one.poll() is None)
    orders.give("here", Action.KILL)
    assert left.wait(60) == -signal.SIGKILL


# Whoever renames a function that a failpoint names is told here, not by a scenario that never ends.
@pytest.mark.parametrize("name", POINTS)
def test_every_point_is_a_function(name: str) -> None:
    where, function = owner(POINTS[name])
    assert callable(getattr(where, function))


# There are at least 14, in every process of the pipeline.
def test_the_points_are_spread_over_all_roles() -> None:
    assert len(POINTS) >= 14
    assert {point.role for point in POINTS.values()} == set(Role)


# An armed process passes its points where they say: before the call, or once it has returned.
def test_arming_wraps_the_functions_of_its_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sinks.postgres  # noqa: PLC0415 - for this one alone

    happened: list[str] = []
    for point in POINTS.values():
        if point.role is Role.SINK:
            where, function = owner(point)
            monkeypatch.setattr(where, function, getattr(where, function))  # put back at the end
    monkeypatch.setattr(sinks.postgres, "_insert", lambda *_: happened.append("inserted"))
    orders = Orders(tmp_path)
    monkeypatch.setattr(orders, "obey", happened.append)
    arm(Role.SINK, orders)
    sinks.postgres._insert(None, "", [])  # type: ignore[arg-type]  # a double
    assert happened == ["sink-before-insert", "inserted", "sink-inserted-not-committed"]
