"""What must hold of any message whatever, checked against the decoder and the judge at once."""

from typing import Final

import numpy as np

from ledger.evidence import Message
from ledger.parse import reading_of
from plantwatch.decode import Reading, Reason, Reject, decode
from plantwatch.instants import to_iso
from plantwatch.settings import Reading as Shape

SHAPE: Final = Shape(settings=3, sensors=21, max_bytes=65536)
NOT_BY_DECODE: Final = {
    Reason.TOO_MANY_MACHINES,
    Reason.MODEL_ERROR,
    Reason.LATE,
    Reason.CONFLICT,
}
"""The worker gives these itself: they need more than one message."""
BY_DECODE: Final = frozenset(Reason) - NOT_BY_DECODE


def assert_total(key: bytes | None, value: bytes | None) -> Reading | Reject:
    """Whatever goes in: a reading that fits the tables and the ring, or a reject fit to print.

    The judge, which was written apart and parses with another library, must say the same.
    """
    result = decode(key, value, SHAPE)
    judged = reading_of(Message(7, key, value), SHAPE)
    if isinstance(result, Reject):
        assert judged is None, "refused by the stream, valid to the judge"
        assert result.reason in BY_DECODE
        assert len(result.detail) <= 80
        assert result.detail.isascii()
        assert result.detail == "" or result.detail.isprintable()
        return result
    assert 0 < len(result.sensor_id) <= 64
    assert result.sensor_id.encode() == key
    assert -(2**63) <= result.cycle < 2**63
    assert len(to_iso(result.time)) == 27
    values = np.array(result.values, np.float32)
    assert np.isfinite(values).all()
    assert len(values) == SHAPE.settings + SHAPE.sensors
    assert judged is not None, "taken by the stream, refused by the judge"
    identity = (result.sensor_id, result.cycle, result.time)
    assert (judged.machine, judged.cycle, judged.time) == identity
    assert np.array_equal(values, np.array(judged.values, np.float32))
    return result


def verdict_on(key: bytes | None, value: bytes | None) -> str:
    """The word that the corpus uses: a reason, or `accepted`."""
    result = assert_total(key, value)
    return str(result.reason) if isinstance(result, Reject) else "accepted"
