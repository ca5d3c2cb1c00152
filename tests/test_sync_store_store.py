"""The store opens only where it is safe, keeps all of a step or nothing, and says in one line what is wrong.

Tests that take ``place`` run on SQLite and on PostgreSQL; those that take ``folder`` are about SQLite's file.
"""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text

from sync.store import store as module
from sync.store import tables
from sync.store.store import StoreError, file_system, get_meta, in_chunks, migrate_store, open_store, set_meta, upsert
from tests.postgresql_server import new_database

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, folder):
    """Where a new store may be made."""
    return folder if request.param == "sqlite" else new_database()


@contextmanager
def opened(folder, **options):
    store = open_store(str(folder), **options)
    try:
        yield store
    finally:
        store.close()


def refused(folder, **options):
    """The words with which a store is refused; always one line."""
    with pytest.raises(StoreError) as caught:
        open_store(str(folder), **options).close()
    words = str(caught.value)
    assert "\n" not in words
    return words


# Schema


def test_the_migrations_build_exactly_the_tables(place):
    def differ(context, stored, wanted, stored_default, wanted_default, rendered):
        """Defaults as text: SQLite's comparison of an empty one goes wrong, PostgreSQL adds the type."""
        counted = stored_default is not None and "nextval" in stored_default
        return not counted and _bare(stored_default) != _bare(rendered)

    with opened(place) as store, store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": differ}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def _bare(default):
    bare = None if default is None else default.partition("::")[0].strip("()'")
    return "0" if bare == "false" else bare


def test_migrating_again_changes_nothing(place):
    before, after = migrate_store(str(place))
    assert before is None
    assert migrate_store(str(place)) == (after, after)


@pytest.fixture(scope="module")
def later_version(tmp_path_factory):
    """The next version of leadmark, with one more migration; runs a line of Python in it."""
    tree = tmp_path_factory.mktemp("later")
    for package in ("config", "connectors", "scoring", "sync"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "sync/store/migrations/versions/9999_more.py").write_text(
        '"""More"""\n'
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        'revision, down_revision, branch_labels, depends_on = "9999", "0003", None, None\n'
        'def upgrade() -> None:\n    op.create_table("more", sa.Column("number", sa.Integer(), primary_key=True))\n'
    )

    def run(line, place):
        code = f"import sys; from sync.store.store import *; place = sys.argv[1]; {line}"
        environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code, str(place)],
            env=environment, cwd=tree, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr.strip().rpartition("\n")[2]

    return run


def test_an_older_schema_is_refused_with_the_command_to_run_and_migrates(place, later_version):
    with opened(place) as store, store.begin() as tx:
        set_meta(tx, "kept", "yes")
    code, words = later_version("open_store(place)", place)
    assert code == 1
    assert "StoreError" in words
    assert "has schema 0003, this version needs 9999; back it up, then run: leadmark migrate" in words
    assert later_version("print(migrate_store(place))", place) == (0, "('0003', '9999')\n")
    line = "tx = open_store(place).engine.connect(); print(get_meta(tx, 'kept'))"
    assert later_version(line, place) == (0, "yes\n")


def test_a_newer_schema_is_refused_and_left_as_it_is(place, later_version):
    assert later_version("open_store(place)", place)[0] == 0
    words = refused(place)
    assert "has schema 9999, newer than this version knows; run the one that wrote it, or a newer one" in words
    with pytest.raises(StoreError, match="newer"):
        migrate_store(str(place))
    assert later_version("print(migrate_store(place))", place) == (0, "('9999', '9999')\n")


# Where it lies


@pytest.fixture
def open_umask():
    """A umask that keeps nobody out."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_nobody_else_may_read_the_store(folder, open_umask):
    with opened(folder) as store, store.begin() as tx:
        set_meta(tx, "a", "b")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        assert modes == dict.fromkeys(["leadmark.sqlite3", "leadmark.sqlite3-wal", "leadmark.sqlite3-shm"], 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_store_is_made_where_none_is_wanted(folder):
    assert "there is no store in" in refused(folder, create=False)
    assert not folder.exists()


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /srv tmpfs rw 0 0
server:/export /srv/share nfs4 rw 0 0
//server/share /mnt/with\\040space cifs rw 0 0
auto /home autofs rw 0 0
server:/home /home nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/srv/data", "tmpfs"),
        ("/srv/share", "nfs4"),
        ("/srv/share/deep/down", "nfs4"),
        ("/srv/shared", "tmpfs"),
        ("/mnt/with space/x", "cifs"),
        ("/home/leadmark", "nfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(tmp_path, place, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert file_system(Path(place), mounts) == kind


def test_where_mounts_are_not_known_nothing_is_refused(tmp_path):
    assert file_system(tmp_path, tmp_path / "missing") == ""


def test_a_network_file_system_is_refused(folder, monkeypatch):
    here = file_system(folder.parent)
    monkeypatch.setattr(module, "NETWORK_FILE_SYSTEMS", frozenset([here]))
    words = refused(folder)
    assert (
        f"is on a network file system ({here}), where SQLite loses data; use a local disk or a PostgreSQL URL" in words
    )
    assert not list(folder.iterdir())


@contextmanager
def as_nobody():
    """Root may write anywhere, so root becomes somebody else for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    words = refused(tmp_path / "file" / "store")
    assert str(tmp_path / "file" / "store") in words
    assert "cannot be made" in words


def test_a_read_only_folder_is_named(folder):
    folder.mkdir()
    for parent in [folder, *folder.parents]:  # so that nobody comes as far as the folder itself
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    folder.chmod(0o555)
    with as_nobody():
        words = refused(folder)
    assert f"the store file {folder / 'leadmark.sqlite3'} cannot be written: Permission denied" in words


def test_a_file_that_is_no_store_is_named(folder):
    folder.mkdir()
    (folder / "leadmark.sqlite3").write_text("nothing of ours\n" * 100)
    words = refused(folder)
    assert str(folder) in words
    assert "not a database" in words


# Steps


def test_a_step_is_kept_whole_or_not_at_all(place):
    with opened(place) as store:
        with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012 - the step is the statement
            set_meta(tx, "a", "1")
            raise ZeroDivisionError
        with store.begin() as tx:
            assert get_meta(tx, "a") is None
            set_meta(tx, "a", "1")
    with opened(place) as store, store.begin() as tx:
        assert get_meta(tx, "a") == "1"


def test_a_full_disk_is_said_in_one_line_and_keeps_nothing_of_the_step(folder):
    with opened(folder) as store:
        with store.begin() as tx:
            set_meta(tx, "before", "1")
            pages = tx.execute(text("PRAGMA page_count")).scalar_one()
            tx.execute(text(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(StoreError) as caught, store.begin() as tx:
            set_meta(tx, "much", "x" * 1_000_000)
        assert "disk is full" in str(caught.value)
        assert "nothing of this step was kept" in str(caught.value)
        assert "\n" not in str(caught.value)
        with store.begin() as tx:
            assert (get_meta(tx, "before"), get_meta(tx, "much")) == ("1", None)


def test_a_mistake_in_a_step_names_no_values(place):
    with opened(place) as store, pytest.raises(StoreError) as caught, store.begin() as tx:  # noqa: PT012 - the step
        for _ in range(2):
            tx.execute(insert(tables.meta).values(name="ada@x.example", value="1"))
    assert "\n" not in str(caught.value)
    assert "ada" not in str(caught.value)


def test_a_second_process_waits_for_its_turn(folder):
    """One writer holds its transaction until the other has begun to wait; then both are kept."""
    order, inside, waiting = [], Event(), Event()

    def first():
        with opened(folder) as store, store.begin() as tx:
            inside.set()
            waiting.wait(10)
            set_meta(tx, "n", "1")
            order.append("first")

    with opened(folder) as store:
        thread = Thread(target=first)
        thread.start()
        inside.wait(10)
        waiting.set()
        with store.begin() as tx:
            order.append("second")
            assert get_meta(tx, "n") == "1"
        thread.join()
    assert order == ["first", "second"]


def test_a_store_that_stays_busy_is_said_in_one_line(folder, monkeypatch):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    with opened(folder) as holder, opened(folder) as other, holder.begin():
        with pytest.raises(StoreError) as caught, other.begin():
            pass
        assert "database is locked" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_several_processes_may_make_the_store_at_once(place):
    together, failures = Barrier(6), []

    def make():
        together.wait(10)
        try:
            open_store(str(place)).close()
        except StoreError as error:
            failures.append(error)

    threads = [Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_killed_writer_leaves_the_last_whole_step(place):
    """The process dies inside a transaction; what was committed before is there."""
    code = (
        "import os, sys; from sync.store.store import *\n"
        "store = open_store(sys.argv[1])\n"
        "with store.begin() as tx: set_meta(tx, 'a', '1')\n"
        "with store.begin() as tx: set_meta(tx, 'a', '2'); os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place)], cwd=ROOT, check=False)
    assert done.returncode == 9
    with opened(place) as store, store.begin() as tx:
        assert get_meta(tx, "a") == "1"


def test_the_store_survives_a_lost_power_supply_as_sqlite_promises(folder):
    """WAL, and foreign keys on every connection."""
    with opened(folder) as store, store.begin() as tx:
        assert tx.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert tx.execute(text("PRAGMA foreign_keys")).scalar() == 1
        with sqlite3.connect(folder / "leadmark.sqlite3") as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        plain.close()


# Rows


def test_an_upsert_replaces_the_given_columns_only(place):
    with opened(place) as store, store.begin() as tx:
        table = tables.person
        upsert(tx, table, [{"number": 1, "stale": True, "fresh_at": 5, "maps_digest": "m"}])
        upsert(tx, table, [{"number": 1, "stale": False}, {"number": 2, "stale": True}])
        rows = tx.execute(select(table).order_by(table.c.number)).all()
        assert [tuple(row) for row in rows] == [(1, False, 5, "[]", "m", "all"), (2, True, None, "[]", "", "all")]


def test_an_upsert_of_nothing_or_of_keys_alone_is_harmless(place):
    with opened(place) as store, store.begin() as tx:
        tx.execute(
            insert(tables.record).values(
                number=1, connection="c", object="contact", crm_id="1", inputs="{}", stamp_at=0, state="live"
            )
        )
        upsert(tx, tables.address, [])
        for _ in range(2):
            upsert(tx, tables.address, [{"connection": "c", "email": "a@x.example", "record": 1}])
        assert len(tx.execute(select(tables.address)).all()) == 1


def test_what_hangs_on_a_record_goes_with_it(place):
    with opened(place) as store, store.begin() as tx:
        tx.execute(
            insert(tables.record).values(
                number=1, connection="c", object="contact", crm_id="1", inputs="{}", stamp_at=0, state="live"
            )
        )
        tx.execute(insert(tables.timeline).values(record=1, activities=b""))
        tx.execute(insert(tables.address).values(record=1, connection="c", email="a@x.example"))
        tx.execute(tables.record.delete())
        assert tx.execute(select(tables.timeline)).all() == []
        assert tx.execute(select(tables.address)).all() == []


def test_chunks_hold_every_item_once_in_order():
    items = list(range(1201))
    chunks = list(in_chunks(items))
    assert [len(chunk) for chunk in chunks] == [500, 500, 201]
    assert [item for chunk in chunks for item in chunk] == items
    assert list(in_chunks([])) == []
