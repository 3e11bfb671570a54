"""A plant replayed through the whole pipeline, and an account of what became of every reading.

- `account`: the numbers, and whether they add up; pure
- `machines`: each machine's first alarm, held against the truth; pure
- `parity`: stored scores against the same model offline
- `observe`: what the topics, the groups' commits and the table hold
- `tour`: the steps, in order
- `summary`: the result for people
"""
