"""Grafana's dashboards as code, and their way to a server.

- `spec`: what a dashboard is made of, as data
- `queries`: every query, once, by dashboard
- `floor`, `machine`, `pipeline`, `models`: the four dashboards; `scores`: what they share
- `render`, `variables`: their JSON
- `files`: that JSON under version control, and what provisioning reads
- `sources`, `alerting`: the data sources, and Prometheus' rules as Grafana's own
- `publish`, `server`: push it to a Grafana, or say how the two differ
"""
