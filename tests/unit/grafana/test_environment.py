"""What grafana-client brings hurts nobody else."""

import importlib
import re
from importlib.metadata import distribution, files, version
from pathlib import Path

ROOT = Path(__file__).parents[3]


# urllib3-future takes the place of urllib3 unless it is built not to: everybody here would talk
# HTTP through another library than the one they were tested with.
def test_urllib3_is_urllib3() -> None:
    # Its versions end in .9xx, under whichever name it is there.
    found = importlib.import_module("urllib3").__version__
    assert found == version("urllib3")
    assert not re.search(r"\.9\d\d$", found)
    replaced = [str(one) for one in files("urllib3-future") or [] if one.parts[0] == "urllib3"]
    assert replaced == []
    assert distribution("grafana-client").version


# What runs the pipeline does not have it at all.
def test_the_pipeline_has_none_of_it() -> None:
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8")
    assert not re.search(r"^(grafana|niquests|urllib3-future)", lock, re.MULTILINE)
