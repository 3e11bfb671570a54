"""The pure core of plantwatch: rules and types, no input or output.

In the order in which a reading flows:

- `instants`: integers inside, texts in messages
- `messages`: what travels on the topics, to and from bytes
- `dead_letter`: a message that went no further, too
- `schemas`: the same for others: JSON Schemas and AsyncAPI
- `decode`: bytes to a reading or a reject with a reason; total
- `history`: a machine's last readings, compact
- `packed`: the same of a machine that has only begun, as bytes
- `windows`: readings to classes and windows
- `features`: windows to model input; the one feature code of training, stream and API
- `drift`: readings to what drift is looked for in
- `scoring`: what a detector is; raw score to verdict
- `limits`: when so much is rejected that a person must look
- `alarms`: several verdicts to an alarm
- `incidents`: alarms to incidents that open, grow and close
- `accounting`: the classes counted, and the metadata of a commit
- `metrics`: every metric's name, help and labels, once
- `dashboards`: Grafana's dashboards by their uid, which alerts link to
- `settings`: every setting as types, a module per file of configs/
- `configuration`: configs/*.yaml and the environment into frozen settings
- `errors`: one class per way to fail, named by what the caller must do
"""
