"""What `plantwatch replay` takes on its command line."""

import pytest

from commands.replay import parse_speed
from plantwatch.errors import ConfigError


# A speed is a number of rows a second, or max for no pacing.
def test_speeds() -> None:
    assert parse_speed("max") is None
    assert parse_speed("1") == 1.0
    assert parse_speed("0.5") == 0.5


# Anything else is answered with what would do.
@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf", ""])
def test_bad_speeds(text: str) -> None:
    with pytest.raises(ConfigError, match=r"give a number above 0, or max"):
        parse_speed(text)
