"""Scoring with an ONNX network and its card: what the stream and the metrics both use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.attribution import by_occlusion
from models.card import read_artifact
from plantwatch.errors import ConfigError
from plantwatch.features import FeatureSpec, model_input, operation
from plantwatch.scoring import Calibration, Float64, UnscorableError, Verdicts
from plantwatch.settings import Anomaly


class OnnxScorer:
    """A network, one input to `raw` and mostly `contributions`, and the features it is fed."""

    def __init__(self, network: bytes, features: FeatureSpec) -> None:
        """Parse the network; one thread and in sequence, so that workers share a machine fairly.

        Raises:
            ConfigError: onnxruntime cannot run it.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                network, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime's classes have no other base
            why = " ".join(str(error).split())
            raise ConfigError(f"no network onnxruntime can run: {why}; `make train`") from None
        self._input = self._session.get_inputs()[0].name
        self._attributes = "contributions" in {one.name for one in self._session.get_outputs()}
        self._features = features

    def raw(self, windows: NDArray[np.float32]) -> Float64:
        """Raw scores of windows [n, length, settings + sensors]: float64 [n], high = anomalous.

        Raises:
            UnscorableError: features or score of some windows are not finite; names them all.
            ConfigError: it does not give one number for each window.
        """
        if not len(windows):  # onnxruntime's LSTM aborts the whole process on an empty batch
            return np.empty(0)
        features = model_input(self._features, windows)
        # A forest would give NaN a branch and a score: the features are checked too.
        finite = np.isfinite(features).all(axis=tuple(range(1, features.ndim)))
        raw = self._run("raw", features, ())
        finite &= np.isfinite(raw)
        if not finite.all():
            raise UnscorableError(np.flatnonzero(~finite))
        return raw

    def contributions(self, windows: NDArray[np.float32]) -> Float64:
        """What each sensor adds to raw, [n, sensors], for windows that `raw` has an answer for.

        The graph's own, exact; from a graph without them (a forest) by occlusion.
        """
        sensors = len(self._features.sensors)
        if not len(windows):
            return np.empty((0, sensors))
        features = model_input(self._features, windows)
        if self._attributes:
            return self._run("contributions", features, (sensors,))
        return by_occlusion(lambda inputs: self._run("raw", inputs, ()), features, sensors)

    def _run(self, output: str, features: NDArray[np.float32], each: tuple[int, ...]) -> Float64:
        """An output of the network, [n, *each], whatever shape it declares."""
        found = np.asarray(self._session.run([output], {self._input: features})[0])
        if found.shape != (len(features), *each):
            raise ConfigError(
                f"the network's `{output}` has shape {found.shape} for {len(features)} windows, "
                f"not {each or 'one number'} for each; `make train`"
            )
        return found.astype(np.float64)


class OnnxDetector:
    """A `Detector` from an artifact folder named by its digest."""

    def __init__(self, folder: Path, version: str, config: Anomaly) -> None:
        """Read `folder`, whose name is the digest; `version` is what verdicts will name.

        `config` have the threshold and the alarm that decide where the card has none.

        Raises:
            ConfigError: the artifact is corrupted or not for this program; see `read_artifact`.
        """
        self.digest = folder.name
        self.version = version
        self.card, network = read_artifact(folder, self.digest)
        self._scorer = OnnxScorer(network, self.card.features)
        self._calibration = Calibration(
            threshold=self.card.threshold,
            scale=self.card.scale,
            platt_a=self.card.platt_a,
            platt_b=self.card.platt_b,
            fallback=config.threshold,
        )
        self._rule = config.rule(self.card.alarm)

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        """See `plantwatch.scoring.Detector.score`."""
        verdicts = self.judge(windows)
        features, anomalous = self.card.features, verdicts.is_anomaly
        contributions = np.full((len(windows), len(features.sensors)), np.nan)
        contributions[anomalous] = self._scorer.contributions(windows[anomalous])
        regime, unseen = operation(features, windows)
        return replace(
            verdicts,
            contributions=contributions,
            sensors=features.sensors,
            unseen_regime=unseen,
            regime=regime,
            rule=self._rule,
        )

    def judge(self, windows: NDArray[np.float32]) -> Verdicts:
        """The scores of `score` without what explains them, for who wants no more: one model call.

        Raises:
            UnscorableError: as `score`.
        """
        return self._calibration.judge(self._scorer.raw(windows))

    def contributions(self, windows: NDArray[np.float32]) -> Float64:
        """What each of the card's sensors adds to raw, [n, sensors], of normal windows too."""
        return self._scorer.contributions(windows)
