"""A TCP proxy in front of PostgreSQL that cuts the line when it is told to, at the worst moment."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_COMMIT: Final = b"COMMIT"
_BYTES: Final = 65536


class Proxy:
    """Forwards every connection, byte for byte.

    After `cut_next_commit` the next COMMIT reaches the server, and the client's line is cut before
    the server's reply gets through: the client cannot know whether it is committed.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._to_cut = 0
        self.cut = 0
        """Lines cut so far."""
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def cut_next_commit(self) -> None:
        self._to_cut += 1

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # the server is away: so is this line
            client.close()
            return
        deaf = threading.Event()
        for job in (self._upstream, self._downstream):
            threading.Thread(target=job, args=(client, server, deaf), daemon=True).start()

    def _upstream(
        self, client: socket.socket, server: socket.socket, deaf: threading.Event
    ) -> None:
        with _closing_both(client, server):
            while data := client.recv(_BYTES):
                if _COMMIT in data and self._to_cut > 0:
                    self._to_cut -= 1
                    self.cut += 1
                    deaf.set()  # before the server hears of it: no reply slips through
                server.sendall(data)

    def _downstream(
        self, client: socket.socket, server: socket.socket, deaf: threading.Event
    ) -> None:
        with _closing_both(client, server):
            while data := server.recv(_BYTES):
                if deaf.is_set():
                    return  # this is the reply: it is committed, and nobody is told
                client.sendall(data)


@contextmanager
def _closing_both(*sockets: socket.socket) -> Iterator[None]:
    try:
        with contextlib.suppress(OSError):
            yield
    finally:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
