"""compose.yaml as data, its variables filled in, for machines without Docker."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")

Service = dict[str, Any]


def document() -> dict[str, Any]:
    """All of it as it stands there, anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def services() -> dict[str, Service]:
    found: dict[str, Service] = document()["services"]
    return found


def ours() -> dict[str, Service]:
    """The services that run a plantwatch command."""
    return {name: one for name, one in services().items() if "build" in one and name != "mlflow"}


def variables(text: str) -> list[tuple[str, str, str]]:
    """Each `${NAME:?why}`, `${NAME:-default}` or `${NAME}`: its name, the sign, what follows it."""
    return _VARIABLE.findall(text)


def environment(service: Service, given: dict[str, str] | None = None) -> dict[str, str]:
    """What the container's processes find in theirs.

    A variable of compose.yaml has the value `given` for it, its default, or its own name: enough
    for a password.
    """

    def fill(match: re.Match[str]) -> str:
        name, sign, default = match.groups()
        return (given or {}).get(name, default if sign == "-" else name)

    listed = service.get("environment", {})
    return {name: _VARIABLE.sub(fill, str(value)) for name, value in listed.items()}


def command(service: Service) -> list[str]:
    """The arguments of `plantwatch`."""
    return [str(word) for word in service["command"]]


def checked_port(service: Service) -> int:
    """The port that its health check asks."""
    [path] = [word for word in service["healthcheck"]["test"] if "/" in word and word[0].isdigit()]
    return int(path.partition("/")[0])


def lock(service: Service) -> str:
    """The lock that its image is made of."""
    build = service["build"]
    if build["dockerfile"].endswith("streamlit"):
        return "dashboard"
    return str(build.get("args", {}).get("SET", "runtime"))
