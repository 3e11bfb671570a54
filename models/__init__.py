"""Detectors: networks, their export to ONNX, the artifact and its card, and the registry.

A model is a folder of two files, `model.onnx` and `card.json`; nothing in it is pickled, and
nothing is parsed before its sha256 is known to be right. `onnx_detector` and `cache` are all that
scoring needs: neither torch nor MLflow is imported by them.
"""
