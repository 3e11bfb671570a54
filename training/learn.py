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


def learn(model: Predictor, windows: Tensor, knobs: NetworkTraining, seed: int) -> None:
    """Teach `model` to predict the clean rows of windows [n, length, channels] from corrupted ones.

    Repeatable by `seed`, and by that of torch, which the model was made with.
    """
    generator = torch.Generator().manual_seed(seed)
    windows = windows[torch.randperm(len(windows), generator=generator)[: knobs.windows]]
    batches = -(-len(windows) // knobs.batch_size)
    optimiser = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, knobs.learning_rate, total_steps=knobs.epochs * batches
    )
    for _ in _with_bar(range(knobs.epochs), type(model).__name__):
        order = torch.randperm(len(windows), generator=generator)
        for chosen in torch.split(order, knobs.batch_size):
            clean = windows[chosen]
            guess = model(corrupt(clean, knobs, generator))
            optimiser.zero_grad()
            nn.functional.mse_loss(guess, model.target(clean)).backward()  # type: ignore[no-untyped-call]  # torch
            nn.utils.clip_grad_norm_(model.parameters(), knobs.clip_norm)
            optimiser.step()
            schedule.step()
    model.eval()


def learnt(
    model: Predictor, normal: NDArray[np.float32], knobs: NetworkTraining, seed: int
) -> Predictor:
    """`model`, taught by normal windows [n, length, channels]; see `learn`."""
    learn(model, torch.from_numpy(normal), knobs, seed)
    return model


def corrupt(windows: Tensor, knobs: NetworkTraining, generator: torch.Generator) -> Tensor:
    """`windows` [n, length, channels] with random level shifts and ramps on some sensors."""
    n, length, channels = windows.shape

    def disturbance(size: float) -> Tensor:
        shape = (n, 1, channels)
        chosen = torch.rand(shape, generator=generator) < knobs.corrupted_share
        return torch.randn(shape, generator=generator) * size * chosen

    ramp = torch.linspace(0, 1, length).reshape(1, length, 1)
    return windows + disturbance(knobs.level_shift) + disturbance(knobs.ramp) * ramp


def _with_bar(epochs: range, title: str) -> Any:
    console = Console(stderr=True)
    return track(epochs, title, console=console, disable=not sys.stderr.isatty())
