"""What each sensor adds to a model's scores, where its network says so."""

import numpy as np
import onnxruntime

from plantwatch.features import FeatureSpec, model_input
from training.dataset import Windows

OUTPUT = "contributions"
"""The output [n, sensors] of networks that name their sensors; each row sums to raw."""
_BATCH = 2048


def by_sensor(
    network: bytes, features: FeatureSpec, windows: Windows, label_rul: int
) -> dict[str, list[float]] | None:
    """Mean contribution of each of `sensors` to raw on windows of healthy and failing machines.

    With the textbook's head this is the reconstruction error. None where the network does not say.
    """
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    if OUTPUT not in [one.name for one in session.get_outputs()]:
        return None
    given = session.get_inputs()[0].name
    parts = [
        session.run([OUTPUT], {given: model_input(features, windows.values[i : i + _BATCH])})[0]
        for i in range(0, len(windows), _BATCH)
    ]
    every = np.concatenate(parts)
    failing = windows.rul < label_rul
    means = {"healthy": every[~failing], "failing": every[failing]}
    return {"sensors": [float(number) for number in features.sensors]} | {
        name: rows.mean(axis=0).round(6).tolist() if len(rows) else [0.0] * every.shape[1]
        for name, rows in means.items()
    }
