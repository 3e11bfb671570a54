"""Which model the HTTP API judges by, asked beside the page: nobody waits for an API that is away.

Whoever asks it should be told what the stream would say; the page tells when that is not so.
"""

import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

from pydantic import BaseModel

from dashboard.parts import escaped
from plantwatch.settings import Settings

_MOST_BYTES: Final = 10_000
"""Of an answer: who says more is not the API."""


@dataclass(frozen=True, slots=True)
class ApiStatus:
    """What the API does, in words, and by which model it judges; None if by none."""

    words: str
    model: str | None = None

    def sentence(self, address: str, streams: str | None) -> str:
        """One line of Markdown, always; it warns when `streams` model is another one.

        The address is no link: in a container it is a name that no browser outside knows.
        """
        status = f"API: `{address}` {escaped(self.words)}"
        if streams is None or self.model in {None, streams}:
            return f"{status}."
        return f"{status}; **most machines are judged by {escaped(streams)}**."


class Service:
    """Asks again and again on a thread of its own, which ends with the process."""

    def __init__(self, settings: Settings) -> None:
        """Start asking."""
        self._page = settings.streamlit
        self.status = ApiStatus("has not answered yet")
        threading.Thread(target=self._follow, name="service", daemon=True).start()

    def _follow(self) -> None:
        while True:
            self.status = ask(self._page.api_url, self._page.deadline_sec)
            time.sleep(self._page.refresh_interval_sec)


class _Health(BaseModel):
    model_version: str


def ask(address: str, deadline_sec: float) -> ApiStatus:
    """What /health says. Never raises; waits so long for each piece of the answer, at most."""
    try:
        with urlopen(f"{address.rstrip('/')}/health", timeout=deadline_sec) as answer:  # noqa: S310 - settings'
            model = _Health.model_validate_json(answer.read(_MOST_BYTES)).model_version
    except HTTPError as error:
        error.close()
        away = error.code == HTTPStatus.SERVICE_UNAVAILABLE
        return ApiStatus(
            "has no model yet" if away else f"answers {error.code}, as our API does not"
        )
    except ValueError:
        return ApiStatus("is not the address of our API")
    except (OSError, HTTPException):
        return ApiStatus("does not answer")
    return ApiStatus(f"judges windows by {model}", model)
