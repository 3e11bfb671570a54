"""Rows to Kafka, paced, acknowledged and resumable.

- `replay`: which row goes out when
- `kafka`: a fleet published, from the first row or from where the last run ended
- `run`: one run of it; `delivery`: what of it Kafka has acknowledged
- `manifest`: what was published, on disk
- `published`: what is on Kafka already, so that no machine's time turns back
"""
