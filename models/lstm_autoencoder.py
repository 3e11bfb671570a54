"""The LSTM autoencoder: it reproduces a normal window; what it cannot reproduce is the residual."""

from typing import cast

from torch import Tensor, nn

from models.representations import LevelAndSlope, Predictor
from plantwatch.settings import LstmAe


class LstmAutoencoder(Predictor):
    """A window [n, length, channels] through a code of `latent_dim` numbers and back."""

    def __init__(self, length: int, channels: int, level_rows: int, config: LstmAe) -> None:
        super().__init__()
        self.length = length
        self.encoder = nn.LSTM(channels, config.hidden_dim, config.num_layers, batch_first=True)
        self.code = nn.Linear(config.hidden_dim, config.latent_dim)
        self.expand = nn.Linear(config.latent_dim, config.hidden_dim)
        self.decoder = nn.LSTM(
            config.hidden_dim, config.hidden_dim, config.num_layers, batch_first=True
        )
        self.output = nn.Linear(config.hidden_dim, channels)
        self.level_and_slope = LevelAndSlope(length, level_rows)

    def forward(self, window: Tensor) -> Tensor:
        _, (hidden, _) = self.encoder(window)
        repeated = self.expand(self.code(hidden[-1])).unsqueeze(1).expand(-1, self.length, -1)
        return cast("Tensor", self.output(self.decoder(repeated)[0]))

    def target(self, window: Tensor) -> Tensor:
        return window

    def summary(self, features: Tensor) -> Tensor:
        """Level and slope of the residual, [n, 2 channels].

        The code, or the reconstruction, beside it adds nothing: see docs/detection.md.
        """
        return cast("Tensor", self.level_and_slope(self.residual(features)))
