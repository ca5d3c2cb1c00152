"""Health and metrics over HTTP, for orchestrators; and the probe: ``python -m sync.health [PORT]`` ends with 0 or 1.

A page is a function without arguments; none asks a CRM. Nothing here needs more than the standard library, so that a
probe every half minute costs little.
"""

import http.client
import socket
import socketserver
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PORT = 8080
#: a client that says nothing is not waited for longer
TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a page says."""

    status: int = 200
    type: str = "application/json"
    body: bytes


Pages = Mapping[str, Callable[[], Answer]]


@dataclass(kw_only=True)
class Pulse:
    """The worker's last sign of life; also the progress of its passes, each step of which is one."""

    monotonic: Callable[[], float]

    def __post_init__(self) -> None:
        """Alive now."""
        self.beat()

    def beat(self) -> None:
        """Alive now."""
        self._at_s = self.monotonic()

    def phase(self, name: str, total: int | None) -> None:  # noqa: ARG002 - the interface of a progress
        """A phase begins."""
        self.beat()

    def advance(self, done: int, total: int | None = None) -> None:  # noqa: ARG002 - the interface of a progress
        """Something is done."""
        self.beat()

    def age_s(self) -> float:
        """Seconds since the last sign."""
        return self.monotonic() - self._at_s


@contextmanager
def serve(host: str, port: int, pages: Pages) -> Iterator[int]:
    """Serves the pages by their path while the block runs, in threads; the port, as 0 takes a free one.

    OSError when the port cannot be had.
    """
    server = _Server(host, port, _handler(pages))
    thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True, name="health")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a page in the making does not hold up the end

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask a name server for our name


def _handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            answer = page() if page else Answer(status=404, body=b'{"error":"no such page"}')
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def version_string(self) -> str:
            return "leadmark"

        def log_message(self, *_: object) -> None:
            """A probe every few seconds is nobody's news."""

    return Handler


def alive(port: int = PORT, *, timeout_s: float = 4.0) -> bool:
    """Whether the worker of this machine turns."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if alive(*map(int, sys.argv[1:2])) else 1)
