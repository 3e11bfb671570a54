"""The tables, change by change; run by `sinks.migrate`."""
