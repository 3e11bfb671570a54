"""Messages as Kafka hands them out, partitions mixed, cut into parts and gathered into chunks."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from confluent_kafka import Message

from stream_processors.partition import Record


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive messages of one partition.

    `start` is where the part before it ended (or the assigned offset), so whoever takes parts in
    order can tell that none was lost on the way.
    """

    partition: int
    start: int
    messages: list[Message]

    @property
    def records(self) -> list[Record]:
        """The messages as the rules take them: a fetched message has an offset."""
        return cast("list[Record]", self.messages)

    @property
    def end(self) -> int:
        offset = self.messages[-1].offset()
        assert offset is not None
        return offset + 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is worked on at once, of one partition or several. `epoch` counts assignments."""

    epoch: int
    parts: list[Part]

    def __len__(self) -> int:
        return sum(len(part.messages) for part in self.parts)


class Backlog:
    """What is fetched of the partitions assigned, and not yet handed over."""

    def __init__(self, chunk_size: int) -> None:
        """`chunk_size` is how many messages a chunk has at most, and so a part."""
        self._chunk_size = chunk_size
        self._parts: deque[Part] = deque()
        self._growing: dict[int, Part] = {}
        self._next: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def partitions(self) -> list[int]:
        """Those assigned."""
        return list(self._next)

    def assign(self, offsets: Mapping[int, int]) -> None:
        """Begin anew, with these partitions from these offsets on."""
        self.drop()
        self._next = dict(offsets)

    def drop(self) -> None:
        """Let go of what is waiting."""
        self._parts.clear()
        self._growing.clear()

    def add(self, message: Message) -> None:
        """Take the next message of an assigned partition."""
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        # Partitions come interleaved, a few messages of each: cut at every change, a part would be
        # of five messages.
        part = self._growing.get(partition)
        if part is not None and len(part.messages) < self._chunk_size:
            part.messages.append(message)
        else:
            part = Part(partition, self._next[partition], [message])
            self._parts.append(part)
            self._growing[partition] = part
        self._next[partition] = offset + 1

    def chunk(self, epoch: int) -> Chunk:
        """As many of the oldest parts as a chunk may have messages; one always fits."""
        room, parts = self._chunk_size, list[Part]()
        while self._parts and len(self._parts[0].messages) <= room:
            part = self._parts.popleft()
            room -= len(part.messages)
            if self._growing.get(part.partition) is part:
                del self._growing[part.partition]
            parts.append(part)
        return Chunk(epoch, parts)
