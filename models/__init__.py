"""Detectors: networks, their export to ONNX, the artifact and its card, and the registry.

A model is a folder of two files, `model.onnx` and `card.json`; nothing in it is pickled, and
nothing is parsed before its sha256 is known to be right. `onnx_detector` and `cache` are all that
scoring needs: neither torch nor MLflow is imported by them.

- `representations`, `lstm_autoencoder`, `patchtst`, `heads`, `scorer`: the networks, and one graph
- `isolation_forest`: the one that is none
- `card`: what a model is, and the artifact on disk
- `onnx_detector`, `attribution`: scores of windows, and the sensors behind them
- `cache`: the models on this disk; `fetch`: how they get there; `registry`: MLflow, who names them
"""
