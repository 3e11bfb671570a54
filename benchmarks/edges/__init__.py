"""The pipeline's edges: what its sink, its producer, its start and its memory cost.

Sink and producer stand beside what a user would write instead, in turn within one run: their ratio
may be quoted, a rate alone may not, for the machine is another one each time.
"""
