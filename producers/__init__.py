"""Rows to Kafka: which row when (`replay`), delivered (`kafka`), remembered (`manifest`)."""
