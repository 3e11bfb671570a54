"""Training, offline: rows to windows, fit, calibrate, evaluate, track, promote; in this order.

Thresholds and metrics are computed from the scores of the exported ONNX network: what training
reports is what the stream will say.

- `train`: all of it, top to bottom; begin here
- `dataset`: windows of a fleet with the truth about each, and the split of its engines
- `fitness`: whether the settings fit the fleet, asked before anything is fitted
- `scaling`: the feature specification; `drift`: what a fleet is held against later
- `detectors`: the types of model, a module each; `fitters`: their `fit`, by name
- `fit`, `learn`, `summary`: what detectors share
- `heads`, `mixture`, `trend`, `directions`: what turns a representation into a score
- `judge`: one model fitted, calibrated and judged, by `calibrate`, `budget`, `events`, `metrics`
- `tracking`, `plots`, `promote`: the run in MLflow, and which version goes into production
- `simulation`: made-up engines like those of a real fleet
"""
