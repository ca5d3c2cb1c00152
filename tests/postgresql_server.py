"""A PostgreSQL server of this test run, where its programs are installed: loopback, a temporary folder, no password."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

_numbers = count(1)
_NOBODY = 65534


def _programs() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return places[-1] if places and (places[-1] / "pg_ctl").exists() else None


@cache
def _server() -> str:
    """The address of the running server, without a database; it ends with the process."""
    programs = _programs()
    if programs is None:
        return ""
    folder = Path(tempfile.mkdtemp(prefix="leadmark-postgresql-"))
    as_user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, _NOBODY, _NOBODY)
        as_user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, cwd=folder, **as_user)

    place = str(folder / "db")
    run(str(programs / "initdb"), "-D", place, "-U", "leadmark", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
    control = str(programs / "pg_ctl")
    run(control, "-D", place, "-l", str(folder / "log"), "-w", "-o", options, "start")

    def end() -> None:
        run(control, "-D", place, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return f"postgresql://leadmark@127.0.0.1:{port}"


def new_database() -> str:
    """The URL of a new, empty database; skips the test where PostgreSQL is not installed."""
    server = _server()
    if not server:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed here")
    name = f"store_{next(_numbers)}"
    engine = create_engine(
        f"{server.replace('postgresql', 'postgresql+psycopg')}/postgres", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"
