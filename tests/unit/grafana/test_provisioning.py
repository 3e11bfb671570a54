"""What a Grafana in a container is provisioned with is what `plantwatch grafana push` makes."""

import re

import yaml

from grafana.publish import FOLDER_UID
from grafana.sources import sources
from plantwatch.configuration import load
from tests.support import compose
from tests.support.servers import CONFIGS

FOLDER = CONFIGS.parent / "grafana"
SETTINGS = load(CONFIGS, {})


def text_of(kind: str) -> str:
    return (FOLDER / "provisioning" / kind / "plantwatch.yaml").read_text(encoding="utf-8")


# The same data sources, but for what the container's environment says; no password in the file.
def test_the_same_data_sources() -> None:
    provisioned = yaml.safe_load(text_of("datasources"))["datasources"]
    pushed = [dict(one) for one in sources(SETTINGS)]
    assert len(provisioned) == len(pushed)
    for theirs, ours in zip(provisioned, pushed, strict=True):
        assert theirs["url"].startswith("$GRAFANA_")
        secret = theirs.pop("secureJsonData", {})
        assert set(secret.values()) <= {"$POSTGRES_READER_PASSWORD"}
        assert secret.keys() == ours.pop("secureJsonData", {}).keys()
        assert theirs | {"url": ""} == ours | {"url": ""}


# The same folder, and dashboards from where the container finds them.
def test_the_same_folder() -> None:
    (provider,) = yaml.safe_load(text_of("dashboards"))["providers"]
    assert provider["folderUid"] == FOLDER_UID
    assert provider["folder"] == SETTINGS.grafana.folder
    grafana = compose.services()["grafana"]
    mounted = [one.split(":")[1] for one in grafana["volumes"]]
    variables = set(re.findall(r"\$([A-Z_]+)", text_of("datasources")))
    assert variables <= compose.environment(grafana).keys()
    assert provider["options"]["path"] in mounted
    version = [int(part) for part in grafana["image"].split(":")[1].split(".")]
    assert version >= [12, 1, 2]
