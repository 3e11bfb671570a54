"""Readings in, verdicts out: the Faust worker and the rules it drives.

- `partition`: chunk of messages to outputs, for one partition; knows neither Kafka nor Faust
- `consumer_thread`: the one thread that owns every call on a librdkafka consumer
- `transport`: Faust's consumer on that thread; commits carry metadata
- `read_back`: a partition's state rebuilt from the log
- `watchdog`: ends a worker that is alive and does nothing
- `worker`: what the agent and the transport's turning points do
- `app`: the Faust app around it, its start and its end
"""
