"""The README's tables, made from documents of evaluations."""

from typing import Any

from evaluation.scoreboard import alarms, best, scores, sources, transfers

ROW = {"f1_sd": 0.01, "f1_low": 0.7, "f1_high": 0.9, "auc_roc": 0.99, "auc_pr": 0.9}
EVENT = {
    "on_time_share": 0.99,
    "engines": 100,
    "early": 1,
    "lead_median": 26.0,
    "lead_p10": 19.0,
    "alarmed_per_1000_healthy": 0.5,
}
BUDGET = {
    "achieved_per_1000_cycles": 1.2,
    "achieved_low": 0.4,
    "achieved_high": 2.8,
    "wanted_per_1000_cycles": 1.0,
    "lead_median": 44.0,
}


def document(protocol: str, **f1: float) -> dict[str, Any]:
    def each(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"model": model} | values for model in f1]

    return {
        "dataset": "FD001",
        "protocol": protocol,
        "source": "NASA C-MAPSS",
        "command": f"plantwatch evaluate --protocol {protocol}",
        "rows": [
            {"model": model, "peer": model == "knn", "supervision": "U", "f1_mean": value} | ROW
            for model, value in f1.items()
        ],
        "events": each({"rule": "1 of 1"} | EVENT) + each({"rule": "3 of 5"} | EVENT),
        "calibration": each({"ece": 0.004, "brier": 0.006}),
        "budget": each(BUDGET),
    }


BOTH = [document("official", lstm_ae=0.7, knn=0.8), document("held-out", lstm_ae=0.9)]


# The best comes first, peers are marked, and what was not evaluated is left open, not made up.
def test_scores_are_ranked_and_complete() -> None:
    _, first, second = scores(BOTH)
    assert first.startswith("| FD001 *knn* | U | 0.800 (0.010) | 0.70-0.90 | 0.9900 | 0.900 |")
    assert first.endswith("| - | - |")
    assert second.startswith("| FD001 lstm ae | U | 0.700 (0.010) |")
    assert second.endswith("| 0.900 (0.010) | 0.70-0.90 |")


# Of each kind of detector only the best is named, with what its alarms are worth if that is known.
def test_the_best_of_each_kind() -> None:
    official = document("official", lstm_ae=0.7, patchtst=0.6, knn=0.8, plain_patchtst=0.5)
    lines = list(best([official, document("held-out", lstm_ae=0.9)]))[1:]
    assert [line.split(" | ")[0] for line in lines] == [
        *("| FD001 *knn*", "| FD001 lstm ae", "| FD001 plain patchtst"),
    ]
    assert lines[0].endswith("| - | - | - | - | - |")
    assert lines[1].endswith("| 0.900 (0.010) | 0.70-0.90 | 99.0% of 100 | 1 | 26 |")


# A subset of which only one protocol was run is shown all the same.
def test_held_out_alone_is_shown() -> None:
    _, only = scores(BOTH[1:])
    assert "| - | - | - | - | - | - | 0.900 (0.010) |" in only


# Lead stands beside nuisance, one line per detector, under one rule.
def test_alarms_show_lead_and_nuisance() -> None:
    _, only = alarms(BOTH)
    assert only == (
        "| FD001 lstm ae | U | 99.0% of 100 | 1 | 26 | 19 | 0.50 | 1.20 (0.40-2.80), 1 | 44 |"
    )


# Every table has as many cells as columns.
def test_tables_are_rectangular() -> None:
    for lines in (list(scores(BOTH)), list(alarms(BOTH)), list(best(BOTH))):
        columns = lines[0].splitlines()[0].count("|")
        assert {line.count("|") for line in lines[1:]} == {columns}


# Each document's command is named.
def test_commands_are_named() -> None:
    assert [line.count("`plantwatch evaluate --protocol") for line in sources(BOTH)] == [1, 1]


# Of what was fitted on the one kind of engines and judged on the other, both are named.
def test_transfers_name_both_sides() -> None:
    row = {"fitted_on": "simulated", "judged_on": "NASA", "model": "lstm_ae", "f1_mean": 0.8} | ROW
    head, only = transfers([{"dataset": "FD001", "rows": [row]}])
    assert only == (
        "| FD001 lstm ae | simulated | NASA | 0.800 (0.010) | 0.70-0.90 | 0.9900 | 0.900 |"
    )
    assert {line.count("|") for line in [*head.splitlines(), only]} == {8}
