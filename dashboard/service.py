"""What the HTTP API says of itself: whether others can have windows judged, and by which model."""

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

import streamlit as st

from plantwatch.settings import Settings

_PATIENCE_SEC: Final = 1.0
_KEPT_SEC: Final = 5.0
"""One question for all who look."""


def said(settings: Settings) -> str:
    """In words, for after its address."""
    return _ask(settings.streamlit.api_url)


@st.cache_data(ttl=_KEPT_SEC, show_spinner=False)
def _ask(address: str) -> str:
    try:
        with urlopen(f"{address}/health", timeout=_PATIENCE_SEC) as answer:  # noqa: S310 - settings'
            return f"judges windows by {json.load(answer)['model_version']}"
    except HTTPError as error:
        with error:
            away = error.code == HTTPStatus.SERVICE_UNAVAILABLE
            return "has no model yet" if away else f"answers {error.code}"
    except (OSError, HTTPException, ValueError, LookupError):
        return "does not answer"
