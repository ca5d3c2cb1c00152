"""The emulator's HTTP server: one thread per connection, on loopback only.

Paths under ``/services/`` are Salesforce's, the others HubSpot's; both CRMs have one clock, one lock, one log and one
list of faults.
"""

import socket
from contextlib import suppress
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import orjson

from connectors.emulator import control
from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot import api as hubspot
from connectors.emulator.hubspot.world import World
from connectors.emulator.limits import Limits
from connectors.emulator.salesforce import api as salesforce
from connectors.emulator.salesforce.org import Org
from connectors.emulator.traffic import Traffic
from connectors.emulator.wire import Reply


class Emulator:
    """A running emulator; ``with Emulator.start(world) as emulator`` stops it at the end."""

    def __init__(self, world: World, org: Org | None, port: int) -> None:
        """Use ``start``."""
        self.world = world
        #: None = no Salesforce; its paths are 404
        self.org = org
        self.traffic = Traffic()
        self.stopping = Event()
        self.sockets: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="emulator", daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls,
        world: World,
        port: int = 0,
        *,
        org: Org | None = None,
        clock: EmulatorClock | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """A server on 127.0.0.1; port 0 takes a free one. Clock and limits: the world's by default, the org's too."""
        world.clock = clock or world.clock
        world.limits = limits or world.limits
        if org is not None:
            org.clock, org.lock = world.clock, world.lock
        return cls(world, org, port)

    def stop(self) -> None:
        """Ends the server and every open connection; harmless to repeat."""
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self.sockets):
            with suppress(OSError):  # closed by the other side meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, emulator: Emulator, *args: Any) -> None:
        self._emulator = emulator
        with suppress(ConnectionError):  # the client went away
            super().__init__(*args)

    def setup(self) -> None:
        super().setup()
        self._emulator.sockets.add(self.connection)

    def finish(self) -> None:
        self._emulator.sockets.discard(self.connection)
        with suppress(ConnectionError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Writes nothing: the log is ``/_emulator/log``."""

    def serve(self) -> None:
        """Answers one request."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        emulator = self._emulator
        if self.path.startswith(control.PREFIX):
            world, org, traffic = emulator.world, emulator.org, emulator.traffic
            self._send(control.answer(world, traffic, self.command, self.path, raw, org=org))
            return
        do = emulator.traffic.fault(self.command, self.path)
        reply = self._faulty(do, raw) if do else self._answer(raw)
        n = self._note(reply, raw)
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply, n)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815 - the base class looks for these names

    def _org(self) -> Org | None:
        """The org a request is for; None = HubSpot's portal."""
        return self._emulator.org if self.path.startswith(salesforce.PREFIX) else None

    def _answer(self, raw: bytes) -> Reply:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if org := self._org():
            return salesforce.answer(org, self.command, self.path, headers, raw)
        return hubspot.answer(self._emulator.world, self.command, self.path, headers.get("authorization", ""), raw)

    def _note(self, reply: Reply | None, raw: bytes) -> int:
        """The request's number in the log; bodies of logins and reads stay out of it."""
        crm = salesforce if self._org() else hubspot
        kept = raw if crm.writes(self.command, self.path) else b""
        headers = {name: value for name in salesforce.LOGGED if (value := self.headers.get(name))}
        who = self.headers.get("User-Agent", "")
        return self._emulator.traffic.note(self.command, self.path, reply.status if reply else 0, who, kept, headers)

    def _faulty(self, do: Any, raw: bytes) -> Reply | None:
        """The reply a fault leaves; None = the connection is dropped."""
        self._emulator.stopping.wait(float(do.get("delay_s", 0)))
        if do.get("drop") == "before":
            return None
        if "html" in do:
            page = f"<html><head><title>{do['html']}</title></head><body>cloud edge</body></html>".encode()
            return Reply(status=int(do["html"]), body=page, headers={"Content-Type": "text/html"})
        if "status" in do:
            plain = {"Content-Type": "text/plain"} if isinstance(do.get("body"), str) else {}
            headers = plain | {str(name): str(value) for name, value in do.get("headers", {}).items()}
            body = do.get("body")
            return Reply(
                status=int(do["status"]), body=body.encode() if isinstance(body, str) else body, headers=headers
            )
        reply = self._answer(raw)
        return None if do.get("drop") else reply

    def _send(self, reply: Reply, n: int = 0) -> None:
        body, org = reply.body, self._org()
        if org:
            date = format_datetime(org.clock.now(), usegmt=True)
            headers = {"Content-Type": "application/json;charset=UTF-8", "Date": date}
        else:
            correlation = f"{n:08x}-0000-4000-8000-0000000000c0"
            headers = {
                "Content-Type": "application/json;charset=utf-8",
                "X-HubSpot-Correlation-Id": correlation,
                "Date": self.date_time_string(),
            }
            if isinstance(body, dict) and body.get("status") == "error":
                body = {"correlationId": correlation, **body}
        payload = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        headers |= reply.headers
        if reply.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(payload))
        phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else "Status"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        # one write, one packet: head and body apart cost 40 ms with a client that delays its acknowledgements
        self.wfile.write(f"HTTP/1.1 {reply.status} {phrase}\r\n{head}\r\n".encode("latin-1") + payload)
