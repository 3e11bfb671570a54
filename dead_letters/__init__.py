"""Dead letters for people: what they are, what they said, and giving them a second chance.

- `letters`: choosing, counting and ordering them
- `show`: one of them as text
- `topic`: reading them, and the originals of those that are truncated
- `prediction`: what would become of readings if they came now
- `rescore`: readings that the model failed on, judged by today's model
- `outgoing`: what a replay puts on Kafka, and what it refuses to
- `replay`: the plan of a replay, and its publication
"""
