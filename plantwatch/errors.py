"""One class per way to fail, named by what the caller must do.

Every message ends with the next step for the person who reads it. Commands print it as one line
and exit with the class's code (sysexits.h where one fits).
"""

from typing import ClassVar


class PlantwatchError(Exception):
    """Base of all failures that a person can act on; never raised itself."""

    exit_code: ClassVar[int] = 1


class BadDataError(PlantwatchError):
    """Input files cannot be used: mend or replace them, nothing was written (exit 65)."""

    exit_code = 65


class RefusedError(PlantwatchError):
    """What a person asked for cannot be, or came too late: nothing was changed (exit 1)."""


class UnavailableError(PlantwatchError):
    """A server or file source is not there now: start it or wait, then try again (exit 69)."""

    exit_code = 69


class StoreAwayError(UnavailableError):
    """A store does not answer, or not now: the same must be asked of it again (exit 69)."""

    def __init__(self, why: str, detail: str) -> None:
        """Say `why` in a word (a metric's label, bounded), and in a sentence what to do."""
        super().__init__(detail)
        self.why = why


class UnfinishedError(PlantwatchError):
    """Work stopped half way and can be resumed by running the same command again (exit 75)."""

    exit_code = 75


class ConfigError(PlantwatchError):
    """A setting, a grant or a model is wrong: a person must change it first (exit 78)."""

    exit_code = 78


class UnfitModelError(ConfigError):
    """This version of the model will never do here: name another (exit 78)."""
