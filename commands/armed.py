"""`python -m commands.armed worker`: a command that obeys orders to die; see `faults.armed`."""

import os
import sys
from pathlib import Path

from commands import app
from faults import sabotage
from faults.armed import ORDERS, SABOTAGE, arm
from faults.orders import Orders
from faults.points import Role


def main() -> None:
    """Arm, sabotage if told to, then be the command."""
    arm(Role(sys.argv[1]), Orders(Path(os.environ[ORDERS])))
    if defect := os.environ.get(SABOTAGE):
        sabotage.DEFECTS[defect]()
    app.main()


if __name__ == "__main__":
    main()
