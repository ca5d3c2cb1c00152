"""Sockets that can be closed from another thread, so that a call in flight ends when we do."""

import socket
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import urllib3


class Sockets:
    """The connections opened through some urllib3 pools, so that all can be closed, those in use included."""

    def __init__(self) -> None:
        self._managers: list[urllib3.PoolManager] = []
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()

    def watch(self, manager: urllib3.PoolManager) -> None:
        """From now on the manager's connections are known here."""

        def pool_of(kind: type[urllib3.HTTPConnectionPool]) -> Callable[..., urllib3.HTTPConnectionPool]:
            def build(*args: Any, **options: Any) -> urllib3.HTTPConnectionPool:
                pool = kind(*args, **options)
                connect = pool.ConnectionCls

                def connection(*args: Any, **options: Any) -> Any:
                    made = connect(*args, **options)
                    self._connections.add(made)
                    return made

                pool.ConnectionCls = connection  # type: ignore[assignment] # urllib3 only ever calls it
                return pool

            return build

        manager.pool_classes_by_scheme = {
            "http": pool_of(urllib3.HTTPConnectionPool),  # type: ignore[dict-item] # urllib3 only ever calls them
            "https": pool_of(urllib3.HTTPSConnectionPool),  # type: ignore[dict-item] # urllib3 only ever calls them
        }
        self._managers.append(manager)

    def close(self) -> None:
        """Closes them all; a call in flight in another thread ends with an error."""
        for connection in list(self._connections):
            if connection.sock is not None:
                with suppress(OSError):  # already gone
                    # of the plain socket: TLS state belongs to the thread that is reading
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        for manager in self._managers:
            manager.clear()
