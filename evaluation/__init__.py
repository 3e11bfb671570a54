"""What detectors are worth: several splits by engine, rows, events and calibration, beside peers.

Fitting and scoring are cached by what they depend on; everything else is computed anew.
"""
