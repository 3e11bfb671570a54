import pytest

from plantwatch import errors
from plantwatch.errors import PlantwatchError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PlantwatchError) and kind is not PlantwatchError
]


# A supervisor tells the failures apart by these codes: 78 and 65 are not restarted at once.
def test_exit_codes_are_those_promised() -> None:
    codes = {kind.__name__: kind.exit_code for kind in KINDS}
    assert codes == {
        "BadDataError": 65,
        "RefusedError": 1,
        "UnavailableError": 69,
        "StoreAwayError": 69,
        "UnfinishedError": 75,
        "ConfigError": 78,
        "UnfitModelError": 78,
    }


# Whoever catches one reads in its documentation what to do and how a command ends.
@pytest.mark.parametrize("kind", KINDS)
def test_each_says_what_to_do(kind: type[PlantwatchError]) -> None:
    assert f"(exit {kind.exit_code})" in (kind.__doc__ or "")
