"""Teaching a network to predict normal windows."""

import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

from models.representations import Predictor
from plantwatch.settings import NetworkTraining


def learn(model: Predictor, windows: Tensor, config: NetworkTraining, seed: int) -> None:
    """Teach `model` to predict the clean rows of windows [n, length, channels] from corrupted ones.

    Repeatable by `seed`, and by that of torch, which the model was made with.
    """
    generator = torch.Generator().manual_seed(seed)
    windows = windows[torch.randperm(len(windows), generator=generator)[: config.windows]]
    batches = -(-len(windows) // config.batch_size)
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.epochs * batches
    )
    for _ in _with_bar(range(config.epochs), type(model).__name__):
        order = torch.randperm(len(windows), generator=generator)
        for chosen in torch.split(order, config.batch_size):
            clean = windows[chosen]
            guess = model(corrupt(clean, config, generator))
            optimiser.zero_grad()
            nn.functional.mse_loss(guess, model.target(clean)).backward()  # type: ignore[no-untyped-call]  # torch
            nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimiser.step()
            schedule.step()
    model.eval()


def learnt(
    model: Predictor, normal: NDArray[np.float32], config: NetworkTraining, seed: int
) -> Predictor:
    """`model`, taught by normal windows [n, length, channels]; see `learn`."""
    learn(model, torch.from_numpy(normal), config, seed)
    return model


def corrupt(windows: Tensor, config: NetworkTraining, generator: torch.Generator) -> Tensor:
    """`windows` [n, length, channels] with random level shifts and ramps on some sensors."""
    n, length, channels = windows.shape

    def disturbance(size: float) -> Tensor:
        shape = (n, 1, channels)
        chosen = torch.rand(shape, generator=generator) < config.corrupted_share
        return torch.randn(shape, generator=generator) * size * chosen

    ramp = torch.linspace(0, 1, length).reshape(1, length, 1)
    return windows + disturbance(config.level_shift) + disturbance(config.ramp) * ramp


def _with_bar(epochs: range, title: str) -> Any:
    console = Console(stderr=True)
    return track(epochs, title, console=console, disable=not sys.stderr.isatty())
