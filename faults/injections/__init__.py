"""What is done to a plant while readings come. Each injection returns when all is healed.

One module per victim: `processes` (our own), `producer`, `members` (of a group), `servers` (Kafka
and PostgreSQL as processes), `database` (what PostgreSQL can refuse), `models`; and what comes in:
`incoming` (disorder and poison), `scale` (much of it), `held_out` (engines no model has seen).
"""
