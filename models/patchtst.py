"""PatchTST (Nie et al. 2023): forecasts a window's last rows from its first, each sensor by itself.

Without RevIN, the paper's normalisation of each window by itself: it takes away the level, which is
what tells a failing machine.
"""

from typing import cast

import torch
from torch import Tensor, nn

from models.representations import LevelAndSlope, Predictor
from plantwatch.settings import Patchtst


class PatchTst(Predictor):
    """Rows 1 to `context` of a window [n, length, channels] to the rows after them.

    All channels share the weights; a channel's context is cut into patches side by side.
    """

    def __init__(self, length: int, config: Patchtst) -> None:
        super().__init__()
        self.context, self.patch, width = config.context, config.patch, config.model_dim
        patches = config.context // config.patch
        self.embed = nn.Linear(config.patch, width)
        self.position = nn.Parameter(torch.zeros(patches, width))
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.num_layers))
        self.output = nn.Linear(patches * width, length - config.context)
        self.level_and_slope = LevelAndSlope(config.context, config.context)

    def forward(self, window: Tensor) -> Tensor:
        channels = window[:, : self.context].transpose(1, 2)
        # reshape, not unfold: torch's old exporter knows none; the patches do not overlap.
        patches = channels.reshape(channels.shape[0], channels.shape[1], -1, self.patch)
        tokens = self.embed(patches) + self.position
        for layer in self.layers:
            tokens = layer(tokens)
        return cast("Tensor", self.output(tokens.flatten(2)).transpose(1, 2))

    def target(self, window: Tensor) -> Tensor:
        return window[:, self.context :]

    def summary(self, features: Tensor) -> Tensor:
        """Mean residual of the forecast rows, level and slope of the context: [n, 3 channels]."""
        known = self.level_and_slope(features[:, : self.context].double())
        return torch.cat([self.residual(features).mean(dim=1), known], dim=1)


class _Layer(nn.Module):
    """Self-attention over patches [n, channels, patches, width], then two linear layers.

    Written out: torch's own encoder layer has a fast path that the ONNX exporter cannot follow.
    """

    def __init__(self, config: Patchtst) -> None:
        super().__init__()
        width = config.model_dim
        self.heads, self.depth = config.attention_heads, width // config.attention_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mix = nn.Linear(width, width)
        self.feedforward = nn.Sequential(
            nn.Linear(width, config.feedforward_dim),
            nn.GELU(),
            nn.Linear(config.feedforward_dim, width),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.norms[0](tokens + self._attend(tokens))
        return cast("Tensor", self.norms[1](tokens + self.feedforward(tokens)))

    def _attend(self, tokens: Tensor) -> Tensor:
        n, channels, patches, _ = tokens.shape
        shape = (n, channels, patches, self.heads, self.depth)
        query, key, value = (
            part(tokens).reshape(shape).transpose(2, 3)
            for part in (self.query, self.key, self.value)
        )
        weights = (query @ key.transpose(-1, -2) / self.depth**0.5).softmax(dim=-1)
        return cast("Tensor", self.mix((weights @ value).transpose(2, 3).reshape(tokens.shape)))
