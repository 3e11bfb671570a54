"""What a Grafana in a container is provisioned with is what `plantwatch grafana push` makes."""

import yaml

from grafana.publish import FOLDER_UID
from grafana.sources import sources
from plantwatch.configuration import load
from tests.support.servers import CONFIGS

FOLDER = CONFIGS.parent / "grafana"
SETTINGS = load(CONFIGS, {})


# The same data sources, but for what the container's environment says; no password in the file.
def test_the_same_data_sources() -> None:
    text = (FOLDER / "provisioning/datasources/plantwatch.yaml").read_text(encoding="utf-8")
    provisioned = yaml.safe_load(text)["datasources"]
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
    text = (FOLDER / "provisioning/dashboards/plantwatch.yaml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["folderUid"] == FOLDER_UID
    assert provider["folder"] == SETTINGS.grafana.folder
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    grafana = compose["services"]["grafana"]
    mounted = [one.split(":")[1] for one in grafana["volumes"]]
    assert provider["options"]["path"] in mounted
    version = [int(part) for part in grafana["image"].split(":")[1].split(".")]
    assert version >= [12, 1, 2]
