from typing import get_args

import onnxruntime
import pytest

from models.card import ModelType
from tests.support.small_training import small_model


@pytest.fixture
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that reaches onnxruntime fails the test."""
    for model in get_args(ModelType):
        small_model(model)  # kept, and tried when it is made
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("parsed"))
