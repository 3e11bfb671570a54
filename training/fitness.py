"""Whether a fleet can be trained on with these settings, asked before anything is fitted."""

from data.fleet import Fleet
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings


def check_fits(fleet: Fleet, settings: Settings) -> None:
    """Whether readings, window and features belong together.

    Raises:
        ConfigError: they do not; a person must change the settings that it names.
    """
    features, length = settings.features, settings.window.length
    sensors, numbers = settings.reading.sensors, settings.reading.settings
    if not 1 <= min(features.sensors) <= max(features.sensors) <= sensors:
        raise _misfit(fleet, f"features.sensors must be numbers from 1 to {sensors}")
    if len(features.setting_scale) != numbers:
        raise _misfit(fleet, f"features.setting_scale must have {numbers} numbers")
    if max(features.level_rows, features.rolling_rows) > length:
        raise _misfit(fleet, f"features.level_rows and rolling_rows must be at most {length}")
    if settings.patchtst.context >= length:
        raise _misfit(fleet, f"patchtst.context must be below window.length, {length}")
    if settings.patchtst.context % settings.patchtst.patch:
        raise _misfit(fleet, "patchtst.context must be a multiple of patchtst.patch")


def _misfit(fleet: Fleet, why: str) -> ConfigError:
    return ConfigError(
        f"{why}; set it in configs/datasets/{fleet.subset}.yaml, or where the others are"
    )
