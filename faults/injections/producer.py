"""The replay producer: killed, stopped and told to stop; the same command goes on."""

import signal
import time

from faults.moments import FROZEN_SEC, HITS
from faults.orders import Action
from faults.points import POINTS
from faults.replaying import Replaying
from faults.scenario import Inject, Measured, Trial
from faults.supervised import FaultError
from plantwatch.errors import UnfinishedError


def killed_at(point: str) -> Inject:
    """Kill -9 at a failpoint; the next run goes on from the manifest, with the same identities."""

    def inject(trial: Trial) -> Measured:
        with Replaying(trial.session, trial.plant) as replay:
            for _ in range(HITS):
                passes = trial.rng.randint(1, POINTS[point].passes)
                trial.plant.carry_out(point, Action.KILL, passes)
            codes = replay.finish()
        return {"kills": len(codes) - 1}

    return inject


def terminated(trial: Trial) -> Measured:
    """SIGTERM: exit 75 every time, and the next run goes on; then 0."""
    with Replaying(trial.session, trial.plant) as replay:
        for _ in range(HITS):
            replay.until_publishing()
            replay.stop()
        codes = replay.finish()
    if codes != [UnfinishedError.exit_code] * HITS + [0]:
        raise FaultError(f"exit codes {codes}, not 75 until the work is done")
    return {"stops": HITS}


def frozen(trial: Trial) -> Measured:
    """SIGSTOP for longer than any connection to the broker may be silent."""
    with Replaying(trial.session, trial.plant) as replay:
        replay.until_publishing()
        replay.signal(signal.SIGSTOP)
        time.sleep(FROZEN_SEC)
        replay.signal(signal.SIGCONT)
        replay.finish()
    return {"stops": 1}
