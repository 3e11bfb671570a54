"""Print each anomaly once: `python examples/subscribe.py 127.0.0.1:9092`, any time after `make up`.

The topic is at least once; the first message of an id is the one that counts.
"""

import json
import sys

from confluent_kafka import Consumer

config = {"bootstrap.servers": sys.argv[1], "group.id": "me", "auto.offset.reset": "earliest"}
consumer = Consumer(config)
consumer.subscribe(["anomalies"])
seen: dict[str, dict[str, str]] = {}
while anomaly := json.loads(consumer.consume()[0].value() or b""):
    if seen.setdefault(anomaly["id"], anomaly) is anomaly:
        print(anomaly["event_time"], anomaly["sensor_id"], anomaly["anomaly_score"], flush=True)
