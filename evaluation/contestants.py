"""Who takes part: every type of model, the variants that configs name, and the peers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from evaluation.attribution import by_sensor
from evaluation.outcome import Outcome
from evaluation.peers import PEERS, fit_peer
from models.onnx_detector import OnnxScorer
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings, Variant
from training.calibrate import calibrate
from training.dataset import Sample, Scored, Windows
from training.fitters import FITTERS
from training.judge import judge

_BATCH = 256
"""Windows in a timed batch, as many as a worker's chunk."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A detector and the settings it is fitted with; `kind` says where `type` is looked up."""

    name: str
    kind: Literal["model", "peer"]
    type: str
    settings: Settings

    @property
    def peer(self) -> bool:
        return self.kind == "peer"

    def play(self, sample: Sample, test: Windows, seed: int) -> Outcome:
        """Fit on the fit engines; score validation and test windows.

        Raises:
            BadDataError: the sample has nothing to fit or to calibrate by.
            ConfigError: a package is missing.
        """
        run = _play_peer if self.peer else _play_model
        return run(self, sample, test, seed)


def contestants(settings: Settings, *, peers: bool) -> list[Contestant]:
    """Each type of model as configured, then its variants, then the peers.

    Raises:
        ConfigError: a variant in the configs names no known model or setting.
    """
    # All at the threshold of the highest F1: the budget is judged beside it, for each of them.
    settings = changed(settings, {"training": {"threshold": "f1"}})
    models = [Contestant(name, "model", name, settings) for name in FITTERS]
    variants = [
        _variant(name, variant, settings) for name, variant in settings.evaluation.variants.items()
    ]
    ordered = [one for model in models for one in (model, *_of(model, variants))]
    return ordered + [Contestant(name, "peer", name, settings) for name in PEERS if peers]


def changed(settings: Settings, changes: dict[str, dict[str, Any]]) -> Settings:
    """`settings` with some fields of some sections replaced, and checked again.

    Raises:
        pydantic.ValidationError: a section, a field or a value is not allowed.
    """
    document: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
    for section, fields in changes.items():
        known = document.get(section)
        document[section] = (known.model_dump() if known else {}) | fields
    return Settings.model_validate(document)


def _variant(name: str, variant: Variant, settings: Settings) -> Contestant:
    where = f"evaluation.variants, {name!r}"
    if variant.model not in FITTERS:
        raise ConfigError(f"{where}: no model {variant.model!r}; choose of {', '.join(FITTERS)}")
    try:
        return Contestant(name, "model", variant.model, changed(settings, variant.changes))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {key}: {first['msg']}; mend it in the configs") from None


def _of(model: Contestant, variants: list[Contestant]) -> list[Contestant]:
    return [one for one in variants if one.type == model.type]


def _play_model(contestant: Contestant, sample: Sample, test: Windows, seed: int) -> Outcome:
    judged = judge(contestant.type, sample, test, contestant.settings, seed)
    scorer = OnnxScorer(judged.fitted.network, judged.fitted.features)
    return Outcome(
        known=Scored.of(judged.known_raw, sample.fit.followed_by(sample.validation)),
        validation=Scored.of(judged.validation_raw, sample.validation),
        test=Scored.of(judged.test.raw, test),
        calibration=judged.calibration,
        supervision=judged.fitted.supervision,
        fit_seconds=judged.seconds,
        us_per_window=_microseconds(scorer.raw, test),
        size_mb=len(judged.fitted.network) / 1e6,
        by_sensor=by_sensor(
            judged.fitted.network,
            judged.fitted.features,
            test,
            contestant.settings.anomaly.label_rul,
        ),
    )


def _play_peer(contestant: Contestant, sample: Sample, test: Windows, seed: int) -> Outcome:
    started = time.perf_counter()
    score = fit_peer(contestant.type, sample, contestant.settings, seed)
    seconds = time.perf_counter() - started
    validation = Scored.of(score(sample.validation.values), sample.validation)
    return Outcome(
        known=validation,
        validation=validation,
        test=Scored.of(score(test.values), test),
        calibration=calibrate(validation.raw, sample.validation, contestant.settings),
        supervision=PEERS[contestant.type].supervision,
        fit_seconds=seconds,
        us_per_window=_microseconds(score, test),
        size_mb=None,
        by_sensor=None,
    )


def _microseconds(score: Callable[[Any], Any], test: Windows) -> float:
    """Time per window in batches, features included; the best of three, as others use the cores."""
    batch, times = test.values[:_BATCH], []
    for _ in range(3):
        started = time.perf_counter()
        score(batch)
        times.append(time.perf_counter() - started)
    return min(times) / len(batch) * 1e6
