"""Training, offline: rows to windows, fit, calibrate, evaluate, track, promote; in this order.

Thresholds and metrics are computed from the scores of the exported ONNX network: what training
reports is what the stream will say.
"""
