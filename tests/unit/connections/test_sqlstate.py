"""What an error of PostgreSQL asks of the sink."""

import psycopg
import pytest
from psycopg import errors

from connections.sqlstate import Action, action, in_one_line, label, remedy


def error_of(sqlstate: str) -> psycopg.Error:
    return errors.lookup(sqlstate)("it says no\nDETAIL: more")


# The database is away, busy, full or read-only: the batch is written again until it is not.
@pytest.mark.parametrize(
    "sqlstate",
    [
        "08006",
        "08P01",
        "40001",
        "40P01",
        "53100",
        "53200",
        "53300",
        "55P03",
        "57014",
        "57P01",
        "57P02",
        "57P03",
        "58030",
        "25006",
    ],
)
def test_what_passes_is_tried_again(sqlstate: str) -> None:
    assert action(error_of(sqlstate)) is Action.RETRY


# A value or constraint says no to one row: that row is refused, the rest of the batch is stored.
@pytest.mark.parametrize(
    "sqlstate", ["22001", "22003", "22007", "22021", "22P02", "23502", "23505", "23514"]
)
def test_what_is_about_a_row_refuses_it(sqlstate: str) -> None:
    assert action(error_of(sqlstate)) is Action.REFUSE


# Logins, databases, grants, tables, and whatever nobody thought of: a person must look, and no
# row may be given up meanwhile.
@pytest.mark.parametrize(
    "sqlstate", ["28P01", "28000", "3D000", "42501", "42P01", "42703", "0A000", "XX000"]
)
def test_what_a_person_must_mend_stops(sqlstate: str) -> None:
    assert action(error_of(sqlstate)) is Action.STOP


# libpq gives no SQLSTATE for a connection that was never made, so the words decide.
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ('FATAL:  password authentication failed for user "anomaly_user"', Action.STOP),
        ('FATAL:  database "anomaly_db" does not exist', Action.STOP),
        ('FATAL:  role "anomaly_user" is not permitted to log in', Action.STOP),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', Action.STOP),
        ("FATAL:  the database system is starting up", Action.RETRY),
        ("FATAL:  sorry, too many clients already", Action.RETRY),
        ("Connection refused", Action.RETRY),
        ("server closed the connection unexpectedly", Action.RETRY),
    ],
)
def test_connections_are_judged_by_their_words(words: str, wanted: Action) -> None:
    assert action(psycopg.OperationalError(f"connection failed: {words}")) is wanted


# A NUL is refused by psycopg before it reaches the server: no SQLSTATE, and yet about a row.
def test_values_that_cannot_be_sent_refuse_their_row() -> None:
    assert action(psycopg.DataError("text fields cannot contain NUL")) is Action.REFUSE


# The label of a metric is bounded: classes, not codes, and one word for lost connections.
def test_labels_are_classes() -> None:
    assert label(error_of("57P01")) == "57"
    assert label(psycopg.OperationalError("gone")) == "lost"


# What stops says what to do, in one line.
@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("42P01", "plantwatch migrate"),
        ("42501", "grant"),
        ("28P01", "POSTGRES_PASSWORD"),
        ("XX000", "log"),
    ],
)
def test_people_are_told_what_to_do(sqlstate: str, words: str) -> None:
    assert words in remedy(error_of(sqlstate), "POSTGRES_USER, POSTGRES_PASSWORD")
    assert in_one_line(error_of(sqlstate)) == "it says no"
