"""Opens the state store and gives transactions. SQLite in a folder by default, PostgreSQL by URL.

Every change goes through ``Store.begin``: all of it is kept, or nothing. SQLite transactions begin IMMEDIATE, so two
processes take turns and none fails half way.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from sync.store import tables

Item = TypeVar("Item")

#: bound parameters stay far below every database's limit
CHUNK = 500
BUSY_TIMEOUT_MS = 30_000
#: any number, the same in every version: who holds it on PostgreSQL migrates
MIGRATION_LOCK = 5_323_623
#: what an admin writes, and what names the driver we ship
DRIVER = re.compile(r"^postgres(ql)?://")
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph", "lustre"}
)


class StoreError(Exception):
    """The store cannot be used: where, why, what to do. Nothing was changed."""

    def __init__(self, why: str, command: str = "") -> None:
        """``command`` is what to run then; it ends the message."""
        super().__init__(f"{why}: leadmark {command}" if command else why)
        self.why, self.command = why, command


@dataclass(frozen=True, slots=True)
class Store:
    """An open store whose schema is this version's."""

    engine: Engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, rolled back on any error."""
        try:
            with self.engine.begin() as tx:
                yield tx
        except SQLAlchemyError as error:
            raise _store_error(self.engine, error) from error

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A transaction of which nothing is kept, for who only looks."""
        try:
            with self.engine.connect() as tx:
                yield tx
        except SQLAlchemyError as error:
            raise _store_error(self.engine, error) from error

    def close(self) -> None:
        """Closes its connections."""
        self.engine.dispose()


def open_store(where: str, *, create: bool = True, patience_ms: int = BUSY_TIMEOUT_MS) -> Store:
    """The store at a folder or URL, created when new. An older or newer schema or an unfit place is a StoreError.

    ``patience_ms``: how long to wait for another process, or for PostgreSQL to answer.
    """
    engine = _engine(where, create=create, patience_ms=patience_ms)
    try:
        with engine.begin() as tx:
            current = MigrationContext.configure(tx).get_current_revision()
        if current is None and create:
            migrate(engine)
        else:
            _check_revision(current, engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _store_error(engine, error) from error
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)


def migrate_store(where: str) -> tuple[str | None, str]:
    """Brings the store's schema to this version; (revision before, revision after). Harmless to repeat."""
    engine = _engine(where, create=True)
    try:
        with engine.begin() as tx:
            before = MigrationContext.configure(tx).get_current_revision()
        if before is not None:
            _check_known(before)
        migrate(engine)
    except SQLAlchemyError as error:
        raise _store_error(engine, error) from error
    finally:
        engine.dispose()
    return before, _head()


def migrate(engine: Engine) -> None:
    """Runs the missing migrations in one transaction; of several processes one after the other."""
    with engine.begin() as tx:
        if tx.dialect.name == "postgresql":
            tx.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        configuration = _alembic()
        configuration.attributes["connection"] = tx
        command.upgrade(configuration, "head")


def _alembic() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _head() -> str:
    return ScriptDirectory.from_config(_alembic()).get_current_head() or ""


def _check_known(current: str) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if current not in known:
        raise StoreError(
            f"the store has schema {current}, newer than this version knows; run the one that wrote it, or a newer one"
        )


def _check_revision(current: str | None, engine: Engine) -> None:
    if current is None:
        raise StoreError(f"there is no store in {_place(engine)} yet; run a pass first", "plan")
    _check_known(current)
    if current != _head():
        raise StoreError(
            f"the store {_place(engine)} has schema {current}, this version needs {_head()}; back it up, then run",
            "migrate",
        )


def _engine(where: str, *, create: bool, patience_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    if "://" in where:
        patience = {"connect_timeout": patience_ms // 1000}
        return create_engine(DRIVER.sub("postgresql+psycopg://", where), pool_pre_ping=True, connect_args=patience)
    folder = Path(where)
    file = folder / "leadmark.sqlite3"
    if create:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the store folder {folder} cannot be made: {error.strerror}") from error
    elif not file.exists():
        raise StoreError(f"there is no store in {folder} yet; run a pass first", "plan")
    kind = file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"the store folder {folder} is on a network file system ({kind}), where SQLite loses data; "
            "use a local disk or a PostgreSQL URL"
        )
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"the store file {file} cannot be written: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            f"busy_timeout={patience_ms}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def file_system(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The file system a folder lies on, as the kernel names it; "" where that is not known."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    place = str(folder.resolve())
    for line in lines:
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (place == point or place.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, name
    return kind


def _place(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _store_error(engine: Engine, error: SQLAlchemyError) -> StoreError:
    # the first line only: a database may quote the row below it
    cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return StoreError(
        f"the store {_place(engine)} failed: {cause}; nothing of this step was kept, a rerun goes on from the last one"
    )


def upsert(tx: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows, or replaces the given columns of those whose primary key exists. All rows have the same columns."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    rest = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    conflict = (
        statement.on_conflict_do_update(index_elements=keys, set_=rest)
        if rest
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    tx.execute(conflict, list(rows))


def in_chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in order, in pieces a statement can bind."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def get_meta(tx: Connection, name: str) -> str | None:
    """A named value of the store."""
    return tx.execute(select(tables.meta.c.value).where(tables.meta.c.name == name)).scalar()


def set_meta(tx: Connection, name: str, value: str) -> None:
    """Keeps a named value."""
    upsert(tx, tables.meta, [{"name": name, "value": value}])
