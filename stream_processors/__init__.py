"""Readings in, verdicts out: the Faust worker and the rules it drives.

- `chunks`: messages of some partitions to outputs, by one call of the model
- `partition`: one partition's histories and counts; knows neither Kafka nor Faust
- `outputs`: judged readings as messages to produce
- `shadow`: what a challenger makes of the same windows; it can stop nothing
- `backlog`: what is fetched, cut into parts and gathered into chunks
- `consumer_thread`: the one thread that owns every call on a librdkafka consumer
- `transport`: Faust's consumer on that thread; commits carry metadata
- `read_back`: a partition's state rebuilt from the log
- `model_watch`: other models, as they are named, to swap to or to score in shadow
- `telemetry`: what is counted, and when
- `watchdog`: ends a worker that is alive and does nothing
- `worker`: what the agent and the transport's turning points do
- `app`: the Faust app around it, its start and its end
"""
