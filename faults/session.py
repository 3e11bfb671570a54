"""What a run of scenarios needs: servers, models, and a fleet; gone at the end."""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from data import cmapss, datasets
from data.simulate import simulate
from faults.plant import servers
from faults.scenario import Session
from faults.trained import train
from plantwatch.settings import Settings


@contextmanager
def session(settings: Settings, configs: Path, environ: Mapping[str, str]) -> Iterator[Session]:
    """Servers on free ports with a folder of their own, and two models to score by.

    The folder is not below the caller's: PostgreSQL's own user may not enter that everywhere.
    SIGTERM ends the block as Ctrl-C does, so that nothing is left running; main thread only.

    Raises:
        UnavailableError: Kafka's jars are neither cached nor to be had.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    fleet = simulate(datasets.simulated(configs, "FD001"), "train")
    nasa = environ.get("CMAPSS_DIR")
    with tempfile.TemporaryDirectory(prefix="plantwatch-faults-") as name:
        home = Path(name)
        versions = train(fleet, settings, home / "models")
        cmapss.write(fleet, home / "cmapss")
        with servers(configs, home / "servers") as running:
            yield Session(
                servers=running,
                configs=configs,
                home=home,
                models=home / "models",
                fleet=fleet,
                versions=versions,
                cmapss=Path(nasa) if nasa and Path(nasa).is_dir() else None,
            )
