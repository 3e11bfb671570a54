from datetime import UTC, datetime

from models.registry import Registered
from training.promote import best


def version(number: int, f1: float, data_hash: str = "a") -> Registered:
    created = datetime(2026, 1, number, tzinfo=UTC)
    return Registered(number, "lstm_ae", f1, created, "digest", data_hash, False, False)


# The highest validation F1 wins, not the newest version.
def test_the_best_by_validation_wins() -> None:
    assert best([version(1, 0.8), version(2, 0.9), version(3, 0.7)], "a").version == 2


# The same training twice: the newer one wins.
def test_of_equals_the_newest_wins() -> None:
    assert best([version(1, 0.9), version(2, 0.9)], "a").version == 2


# A high score on other data, a simulated fleet say, does not keep a new model out.
def test_other_data_do_not_compete() -> None:
    assert best([version(1, 0.99, "simulated"), version(2, 0.8)], "a").version == 2
