"""Real Kafka, PostgreSQL, MLflow and Prometheus on one machine, without Docker or Java.

Everything listens on 127.0.0.1 and keeps its data and logs under `.local/`.

- `process`: what there is to know about one process
- `kafka`, `postgres`, `mlflow`, `prometheus`, `pipeline`: the processes
- `kafka_users`: Kafka with TLS and a user for each role; `private`: where their secrets are kept
- `keeper`, `supervisor`: start, readiness, restarts, end; `leash` for a supervisor that is killed
- `state`: what `status` and `down` know of a running stack
- `doctor`: whether a machine can run all that
- `ports`: where each listens; `free`: ports that nobody has, for a second stack
- `stack`: `plan` what runs, and have it `running`
"""

from local_stack.stack import EVERYTHING, LOCAL, Plan, Stack, plan, running

__all__ = ["EVERYTHING", "LOCAL", "Plan", "Stack", "plan", "running"]
