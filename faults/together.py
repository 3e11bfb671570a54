"""All chosen scenarios: two at a time, which mostly wait, then one by one those that want it so."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from faults.run import Result, run
from faults.scenario import Scenario, Session
from faults.supervised import interrupted

_AT_ONCE: Final = 2


def run_all(chosen: Sequence[Scenario], session: Session, seed: int) -> Iterator[Result]:
    """Each scenario's result as it comes. Ctrl-C ends those under way at their next wait."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(run, one, session, seed) for one in chosen if not one.alone]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            interrupted.set()
            pool.shutdown(cancel_futures=True)
            raise
    yield from (run(one, session, seed) for one in chosen if one.alone)
