import onnxruntime
import pytest

from tests.support.small_training import small_model
from training.fitters import FITTERS


@pytest.fixture
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that reaches onnxruntime fails the test."""
    for model in FITTERS:
        small_model(model)  # kept, and tried when it is made
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("parsed"))
