"""What holds for the repository as a whole: names, locks, and what must never be in it."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import ROOT, packages, tracked, tracked_python

LOCKS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "requirements").glob("*.lock"))

GUIDED = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if "\n- `" in path.read_text("utf-8")
)

# Assembled, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root)(?=/)")
REGISTRY = re.compile(
    r"https?://[^\s\"'<>]*(?:py" + r"pi|python" + r"hosted|artifact" + r"ory|/sim" + r"ple\b)",
    re.IGNORECASE,
)


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        yield path, path.read_text(encoding="utf-8", errors="replace")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# A wheel with a top-level `models` or `data` would shadow ours: none of that kind is installed.
def test_no_installed_package_has_our_names() -> None:
    offered = packages_distributions()
    foreign = {name: set(offered.get(name, [])) - {"plantwatch"} for name in packages() | {"tests"}}
    assert {name: owners for name, owners in foreign.items() if owners} == {}


# What a package's docstring lists is what is in it: a guide that leaves half out leads astray.
@pytest.mark.parametrize("package", GUIDED)
def test_a_guide_names_every_module(package: str) -> None:
    guide = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_bytes())) or ""
    ours = {
        path.relative_to(ROOT / package).parts[0]
        for path in tracked_python()
        if path.is_relative_to(ROOT / package)
    }
    listed = {
        name
        for line in guide.splitlines()
        if line.startswith("- ")
        for name in re.findall(r"`(\w+)`", line)
    }
    assert {name.removesuffix(".py") for name in ours} - {"__init__"} - listed == set()


# Each package is held to the layers and counted in the coverage: none is forgotten.
def test_every_package_is_under_guard() -> None:
    tool = pyproject()["tool"]
    assert packages() <= set(tool["importlinter"]["root_packages"])
    # Only a quiet machine can run the benchmarks whole.
    assert packages() - {"benchmarks"} <= set(tool["coverage"]["run"]["source"])


# Installs are reproducible: each requirement is pinned and hashed, and from no named server.
@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_hashed_and_name_no_server(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    entries = "\n".join(lines).replace("\\\n", " ").splitlines()
    assert entries
    for entry in filter(str.strip, entries):
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


# What runs the pipeline needs no torch: models arrive as ONNX.
def test_the_runtime_has_no_torch() -> None:
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8")
    assert not re.search(r"^(torch|nvidia-\S+|triton)==", lock, re.MULTILINE)


# The repository works anywhere: no path of one machine, no address of one package registry.
@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_nothing_ties_it_to_one_machine(pattern: re.Pattern[str]) -> None:
    found = {path.name: hit[0] for path, text in texts() if (hit := pattern.search(text))}
    assert found == {}


# What looks like a secret that somebody forgot: each is spelled so that this file holds none.
SECRETS: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY-----"),
    "AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})"),
    "GitLab": re.compile(r"\bglpat-[\w-]{20,}"),
    "Slack": re.compile(r"\bxox[abprs]-[\w-]{10,}|hooks\.slack\.com/services/\w"),
    "Google": re.compile(r"\bAIza[\w-]{35}"),
    "Grafana": re.compile(r"\bgl(?:sa|c)_[\w+/=]{20,}"),
    "a package index": re.compile(r"\bpypi" + r"-AgEI[\w-]{20,}"),
    "a model hub": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "OpenAI and its like": re.compile(r"\bsk-[\w-]{20,}"),
    "a web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."),
    "an address with its password": re.compile(r"[a-z]://[^\s/:@\"'{}<>$]+:[^\s/:@\"'{}<>$]+@"),
    "a password beside its name": re.compile(
        r"(?:PASSWORD|SECRET|TOKEN|API_KEY)[\"']?\s*[=:]\s*[\"']?(?=\S*\d)(?=\S*[a-z])[\w+/=-]{12,}"
    ),
}


# No secret is committed: zero hits in all that is under version control, notebooks and tests too.
@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_committed(kind: str) -> None:
    found = {path.name: hit[0] for path, text in texts() if (hit := SECRETS[kind].search(text))}
    assert found == {}


# Where secrets are kept on a machine is nowhere that git looks.
def test_places_of_secrets_are_ignored() -> None:
    places = [".env", ".local/stack.env", ".local/kafka/secrets.json", ".local/postgres/data"]
    asked = subprocess.run(
        ["git", "check-ignore", *places], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if asked.returncode == 128:
        pytest.skip("not a git checkout: nothing is ignored")
    assert asked.stdout.split() == places


# A clone stays small: data, models and weights are made or fetched, not committed.
def test_no_tracked_file_is_large() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > 1_000_000] == []


# One way in to Kafka, with its TLS and its user: no client spells out for itself where a broker is.
def test_all_clients_of_kafka_come_by_one_door() -> None:
    tops = packages()
    ours = [path for path in tracked_python() if path.relative_to(ROOT).parts[0] in tops]
    found = {
        str(path.relative_to(ROOT))
        for path in ours
        if "bootstrap" + ".servers" in path.read_text(encoding="utf-8")
    }
    assert found == {"connections/kafka.py"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a module imports, or calls on a module: `torch.load`, `time.sleep`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)):
                yield f"{module}.{name}"
            case ast.Call(func=ast.Name(id=name)):
                yield name


def users_of(forbidden: set[str], paths: list[Path]) -> dict[str, set[str]]:
    found = {
        str(path.relative_to(ROOT)): set(imported(ast.parse(path.read_bytes()))) & forbidden
        for path in paths
    }
    return {name: used for name, used in found.items() if used}


# What runs the code of whoever wrote what it reads, and how.
RUNS_WHAT_IT_READS = {
    "pickle": "calls any function that the bytes name",
    "cPickle": "the same",
    "_pickle": "the same",
    "pickletools": "reads pickles, and nothing else",
    "cloudpickle": "a pickle with the code itself in it",
    "dill": "the same",
    "joblib": "pickles, with arrays beside",
    "shelve": "pickles in a database",
    "marshal": "code objects, and crashes on others",
    "torch.load": "a pickle in a zip",
    "torch.jit": "code in a zip",
    "torch.hub": "code from the network",
    "pandas.read_pickle": "a pickle",
    "pd.read_pickle": "the same",
    "skl2onnx": "unpickles nothing, but is for who has a pickle",
    "yaml.load": "constructs any object with some loaders; safe_load does not",
    "yaml.unsafe_load": "constructs any object",
    "eval": "runs it",
    "exec": "runs it",
    "compile": "makes code of it",
    "runpy": "runs it",
    "imp": "imports it",
    "mlflow.pyfunc": "unpickles a model, or imports the code beside it",
    "mlflow.sklearn": "the same",
    "mlflow.pytorch": "the same",
    "mlflow.onnx": "loads by a path from the artifact",
}


# A model that is a pickle is somebody else's program: nothing here reads or writes one, nor calls
# what would, and MLflow's own loaders are called nowhere.
def test_nothing_runs_what_it_reads() -> None:
    users = users_of(set(RUNS_WHAT_IT_READS), tracked_python())
    assert users == {}
    loaders = {
        str(path.relative_to(ROOT)): loaded
        for path in tracked_python()
        if (loaded := set(called(ast.parse(path.read_bytes()))) & {"load_model", "log_model"})
    }
    assert loaders == {}
    # numpy.load unpickles where it is told to only.
    text = "allow_" + "pickle=True"
    assert [path.name for path in tracked_python() if text in path.read_text()] == []


def called(tree: ast.AST) -> Iterator[str]:
    """The last part of what is called, on whatever object: `load_model` of `mlflow.load_model`."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Call(func=ast.Attribute(attr=name))
                | ast.ImportFrom(names=[ast.alias(name=name)])
            ):
                yield name


def pauses(tree: ast.AST) -> set[int]:
    """Lines that sleep and stand in no `while`: those do not ask again, they hope."""
    polling = {
        id(node)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.While)
        for node in ast.walk(loop)
    }
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and id(node) not in polling
        and ast.unparse(node.func) in {"time.sleep", "sleep"}
    }


# Tests wait for what happens, not for time to pass: a pause stands only in a loop that asks again.
def test_no_test_sleeps() -> None:
    tests = [path for path in tracked_python() if path.is_relative_to(ROOT / "tests")]
    found = {path.name: pauses(ast.parse(path.read_bytes())) for path in tests}
    assert {name: lines for name, lines in found.items() if lines} == {}


# The guards see what they guard against.
def test_the_guards_are_awake() -> None:
    seen = set(
        imported(ast.parse("import pickle\nfrom joblib import dump\ntorch.load(x)\neval(y)"))
    )
    assert {"pickle", "joblib", "torch.load", "eval"} <= seen
    assert "load_model" in called(ast.parse("mlflow.onnx.load_model(uri)"))
    assert "load_model" in called(ast.parse("from mlflow.onnx import load_model"))
    assert pauses(ast.parse("time.sleep(1)\nwhile not done():\n    time.sleep(0.1)")) == {1}
    assert MACHINE_PATH.search("see /" + "work/main")
    examples = {
        "private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
        "AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
        "GitHub": "ghp_" + "a" * 36,
        "an address with its password": "postgres://me:" + "hunter2@host",
        "a password beside its name": 'POSTGRES_PASSWORD="' + 'abc123def456ghi"',
    }
    assert [kind for kind, text in examples.items() if not SECRETS[kind].search(text)] == []
    assert REGISTRY.search("https://py" + "pi.org/sim" + "ple/")
