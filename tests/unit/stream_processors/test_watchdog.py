"""When a worker that is alive counts as stuck."""

from stream_processors.watchdog import Stall


# Readings wait and nothing is done for the whole limit: stuck, and not a moment before.
def test_lag_without_progress_is_a_stall() -> None:
    stall = Stall(60)
    assert not stall.observe(0, lag=5, progress=1)
    assert not stall.observe(59.9, lag=5, progress=1)
    assert stall.observe(60, lag=5, progress=1)


# Any progress starts the time anew, a read-back's too.
def test_progress_is_no_stall() -> None:
    stall = Stall(60)
    assert not stall.observe(0, lag=5, progress=1)
    assert not stall.observe(50, lag=5, progress=2)
    assert not stall.observe(100, lag=5, progress=2)
    assert stall.observe(110, lag=5, progress=2)


# Nothing to do is no stall, and neither is a Kafka that does not answer.
def test_nothing_to_do_or_nobody_to_ask_is_no_stall() -> None:
    for lag in (0, None):
        stall = Stall(60)
        assert not stall.observe(0, lag=5, progress=1)
        assert not stall.observe(50, lag=lag, progress=1)
        assert not stall.observe(100, lag=5, progress=1)
        assert stall.observe(110, lag=5, progress=1)
