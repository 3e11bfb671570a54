"""What several stages need of the outside world: Kafka, PostgreSQL, metrics exporter, logs."""
