"""The LSTM autoencoder: it reproduces a normal window; what it cannot reproduce is the residual.

Network and head are one graph from scaled sensors to `raw`; the head works in float64.
"""

import tempfile
import warnings
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plantwatch.settings import LstmAe, LstmTraining


class LstmAutoencoder(nn.Module):
    """A window [n, length, channels] through a code of `latent_dim` numbers and back."""

    def __init__(self, length: int, channels: int, knobs: LstmAe) -> None:
        super().__init__()
        self.length = length
        self.encoder = nn.LSTM(channels, knobs.hidden_dim, knobs.num_layers, batch_first=True)
        self.code = nn.Linear(knobs.hidden_dim, knobs.latent_dim)
        self.expand = nn.Linear(knobs.latent_dim, knobs.hidden_dim)
        self.decoder = nn.LSTM(
            knobs.hidden_dim, knobs.hidden_dim, knobs.num_layers, batch_first=True
        )
        self.output = nn.Linear(knobs.hidden_dim, channels)

    def forward(self, window: Tensor) -> Tensor:
        _, (hidden, _) = self.encoder(window)
        repeated = self.expand(self.code(hidden[-1])).unsqueeze(1).expand(-1, self.length, -1)
        return cast("Tensor", self.output(self.decoder(repeated)[0]))


class MseHead(nn.Module):
    """The textbook's score: mean squared residual."""

    def forward(self, residual: Tensor) -> Tensor:
        return residual.double().square().mean(dim=(1, 2))


class TrendHead(nn.Module):
    """The largest of K weighted sums over residuals, each standardised on normal windows.

    A sensor's contribution to raw is its part of the sum: they add up to raw without `bias`.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
        """`weights` [K, length, channels] and `bias` [K]: what a residual of 0 scores."""
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights))
        self.register_buffer("bias", torch.from_numpy(bias))

    def forward(self, residual: Tensor) -> Tensor:
        # Elementwise and not a matrix product, whose order of summation varies with the batch.
        products = residual.double().unsqueeze(1) * self.weights
        return (products.sum(dim=(2, 3)) + self.bias).amax(dim=1)


class Scorer(nn.Module):
    """What is exported: window to raw, [n, length, channels] to float64 [n], high = anomalous."""

    def __init__(self, autoencoder: LstmAutoencoder, head: nn.Module) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.head = head

    def forward(self, window: Tensor) -> Tensor:
        return cast("Tensor", self.head(window - self.autoencoder(window)))


def corrupt(windows: Tensor, knobs: LstmTraining, generator: torch.Generator) -> Tensor:
    """`windows` [n, length, channels] with random level shifts and ramps on some sensors."""
    n, length, channels = windows.shape

    def disturbance(size: float) -> Tensor:
        shape = (n, 1, channels)
        chosen = torch.rand(shape, generator=generator) < knobs.corrupted_share
        return torch.randn(shape, generator=generator) * size * chosen

    ramp = torch.linspace(0, 1, length).reshape(1, length, 1)
    return windows + disturbance(knobs.level_shift) + disturbance(knobs.ramp) * ramp


def residuals(model: LstmAutoencoder, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows minus their reconstruction, [n, length, channels]."""
    with torch.inference_mode():
        parts = torch.split(torch.from_numpy(windows), 2048)
        return np.concatenate([(part - model(part)).numpy() for part in parts])


def to_onnx(scorer: Scorer, shape: tuple[int, ...]) -> bytes:
    """The scorer as ONNX: features float32 [n, *shape] to `raw` float64 [n].

    torch's new exporter (`dynamo=True`) gives the same scores, but takes 45 s instead of 2.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # That the old exporter is old, and that its LSTM wants states for a varying n: it has none.
        warnings.simplefilter("ignore")
        path = Path(folder) / "scorer.onnx"
        torch.onnx.export(
            scorer.eval(),
            (torch.zeros(2, *shape),),
            path,
            input_names=["features"],
            output_names=["raw"],
            dynamic_axes={"features": {0: "n"}, "raw": {0: "n"}},
            dynamo=False,
        )
        return path.read_bytes()
