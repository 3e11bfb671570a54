"""The independent judge: says of every reading whether what became of it is right.

- `rule`: the window rule's definition, sharing no code with the stream
"""
