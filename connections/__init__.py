"""What several stages need of the outside world: Kafka clients, metrics exporter, logs."""
