"""What became of every reading, asked of Kafka beside the page: nobody waits for a broker."""

import threading
import time
from dataclasses import dataclass

from connections.groups import Accounting, accounting
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class LastAccount:
    """The last account there was, None if never; `unknown` says why there is no newer one."""

    account: Accounting | None
    unknown: str | None


class Accounts:
    """Asks again and again on a thread of its own, which ends with the process."""

    def __init__(self, settings: Settings) -> None:
        """Start asking."""
        self._settings = settings
        self.last = LastAccount(None, "Kafka has not answered yet")
        threading.Thread(target=self._follow, name="accounts", daemon=True).start()

    def _follow(self) -> None:
        while True:
            self.last = self._ask(self.last.account)
            time.sleep(self._settings.streamlit.refresh_interval_sec)

    def _ask(self, before: Accounting | None) -> LastAccount:
        try:
            return LastAccount(accounting(self._settings), None)
        except PlantwatchError as error:
            return LastAccount(before, str(error))
