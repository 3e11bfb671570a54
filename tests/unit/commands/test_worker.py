"""What `plantwatch worker` imports."""

import subprocess
import sys
from pathlib import Path

from tests.support.servers import CONFIGS
from tests.support.small_training import cached_model

# With a model loaded, in place of what would wait for a broker.
SCRIPT = """
import sys
from commands import app, worker

def loaded(_settings):
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
    raise SystemExit

worker.ensure_topics = loaded
app.main()
"""


# torch and MLflow take seconds and hundreds of megabytes; a worker that must be back within four
# seconds has neither.
def test_a_worker_imports_neither_torch_nor_mlflow(tmp_path: Path) -> None:
    cached_model(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--config", str(CONFIGS), "worker"],
        env={"MODEL_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert imported >= {"confluent_kafka", "faust", "onnxruntime"}
    assert not imported & {"torch", "mlflow", "sklearn"}
