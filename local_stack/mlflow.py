"""An MLflow tracking server and model registry on sqlite."""

import sys
from functools import partial
from pathlib import Path

from local_stack.process import LOOPBACK, Process, answers, loopback_port
from plantwatch.settings import Settings


def process(settings: Settings, home: Path) -> Process:
    """A server at `mlflow.tracking_uri`; its artifacts travel through it, not through the disk.

    Raises:
        ConfigError: `mlflow.tracking_uri` names another machine.
    """
    folder = (home / "mlflow").resolve()
    uri = settings.mlflow.tracking_uri
    port = loopback_port(uri, "MLFLOW_TRACKING_URI")
    options = {
        "backend-store-uri": f"sqlite:///{folder}/mlflow.db",
        "artifacts-destination": str(folder / "artifacts"),
        "host": LOOPBACK,
        "port": str(port.number),
        "workers": "1",
    }
    return Process(
        name="mlflow",
        argv=(
            *(sys.executable, "-m", "mlflow", "server"),
            *(word for option, value in options.items() for word in (f"--{option}", value)),
        ),
        address=uri,
        ports=(port,),
        make_ready=partial(answers, f"{uri.rstrip('/')}/health"),
        before_start=partial(folder.mkdir, parents=True, exist_ok=True),
        environment={
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # Background workers for LLM evaluation, of no use here.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # Its models are ONNX: nothing here is ever unpickled.
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        },
    )
