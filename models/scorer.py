"""What is exported: a representation and a head as one graph, from model input to raw."""

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from models.heads import ErrorHead
from models.representations import Representation
from plantwatch.scoring import Float64


class Scorer(nn.Module):
    """Model input [n, ...] float32 to raw [n] and contributions [n, sensors], both float64.

    High is anomalous; a window's contributions sum to its raw.
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        representation: Representation,
        head: nn.Module,
        sensors: int,
        *,
        centre: Float64,
        spread: Float64,
    ) -> None:
        """`centre` and `spread` [D] standardise the summary; the textbook's error needs neither."""
        super().__init__()
        self.representation, self.head, self.sensors = representation, head, sensors
        self.register_buffer("centre", torch.from_numpy(centre))
        self.register_buffer("spread", torch.from_numpy(spread))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        if isinstance(self.head, ErrorHead):
            raw, parts = self.head(self.representation.errors(features))
        else:
            summary = self.representation.summary(features)
            raw, parts = self.head((summary - self.centre) / self.spread)
        # The parts come in runs of all sensors, see `models.representations`.
        return raw, parts.reshape(parts.shape[0], -1, self.sensors).sum(dim=1)


def to_onnx(scorer: Scorer, shape: tuple[int, ...]) -> bytes:
    """The scorer as ONNX: features float32 [n, *shape] to `raw` and `contributions`.

    torch's new exporter (`dynamo=True`) gives the same scores, but takes 45 s instead of 2.
    """
    names = ["raw", "contributions"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # That the old exporter is old, and that its LSTM wants states for a varying n: it has none.
        warnings.simplefilter("ignore")
        path = Path(folder) / "scorer.onnx"
        torch.onnx.export(
            scorer.eval(),
            (torch.zeros(2, *shape),),
            path,
            input_names=["features"],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in ("features", *names)},
            dynamo=False,
        )
        return path.read_bytes()
