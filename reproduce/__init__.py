"""A stored verdict computed again from what it stands on: the readings on Kafka and its model.

- `stored`: the rows of the table
- `window`: which readings a verdict is a function of, by the rule itself
- `verdict`: both together, and the model
- `explanation`: the sensors behind it, and what remained to others at its score
"""
