"""A whole evaluation as one JSON document; README and the page are made from it."""

from collections.abc import Callable, Mapping
from typing import Any

from evaluation import summary
from evaluation.play import Played
from evaluation.remarks import remarks
from evaluation.summary import Seeds
from plantwatch.settings import Settings


def report(played: Played, settings: Settings) -> dict[str, Any]:
    """All lists but `remarks` name their contestant by `model`."""
    fleet, test = played.fleet, played.test
    official = played.protocol == "official"
    seeds = {one.name: played.by_seed(one.name) for one in played.players}
    return {
        "dataset": fleet.subset,
        "source": fleet.source,
        "protocol": played.protocol,
        "command": _command(played),
        "data_hash": fleet.data_hash,
        "test_data_hash": test.data_hash if official else None,
        "label_rul": settings.anomaly.label_rul,
        "seeds": len(played.seeds),
        "remarks": remarks(fleet, test if official else fleet, settings),
        "rows": [
            {"model": one.name, "type": one.type, "peer": one.peer}
            | summary.row(seeds[one.name], settings)
            for one in played.players
        ],
        "events": _each(seeds, lambda seed: summary.event_rows(seed, settings)),
        "incidents": _each(seeds, lambda seed: [summary.incident_row(seed, settings)]),
        "calibration": _each(seeds, lambda seed: [summary.calibration(seed, settings)]),
        "budget": _each(seeds, lambda seed: [summary.budget(seed, settings)]),
        "sweeps": _each(seeds, lambda seed: [{"points": summary.sweep(seed, settings)}]),
    }


def _each(
    seeds: Mapping[str, Seeds], of: Callable[[Seeds], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    return [{"model": name} | one for name, outcomes in seeds.items() for one in of(outcomes)]


def _command(played: Played) -> str:
    words = f"--dataset {played.fleet.subset} --protocol {played.protocol}"
    peers = "" if any(one.peer for one in played.players) else " --no-peers"
    return f"plantwatch evaluate {words} --seeds {len(played.seeds)}{peers}"
