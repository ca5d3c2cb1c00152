"""The image's build steps in clean folders, and the tree they leave, run as the container runs it.

An engine adds the base image, the user and the mounts. Here this machine is the base image, the tree is read-only, and
its processes have no rights but those of their files.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from config import starters
from connectors.emulator.people import make_world
from connectors.emulator.server import Emulator
from tests.acceptance.processes import NOW
from tests.dockerfile import PLAIN, Builder, stages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STAGES = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
IMAGE = STAGES[-1]


@pytest.fixture
def image():
    """The built tree, read-only but for /data."""
    place = Path(tempfile.mkdtemp(prefix="leadmark-image-"))
    builder = Builder(place)
    try:
        builder.build(ROOT, STAGES)
        modes(builder.root, lambda mode: mode & ~0o222)
        (builder.root / "data").chmod(0o700)
        yield builder
    finally:
        for folder, _, _ in os.walk(place):
            Path(folder).chmod(0o700)
        shutil.rmtree(place)


def modes(root, change):
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            if not path.is_symlink():
                path.chmod(change(stat.S_IMODE(path.stat().st_mode)))


def tree(root):
    """Every file with its size and time of change, but for those under /data."""
    return {
        path: (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in root.rglob("*")
        if (root / "data") not in (path, *path.parents)
    }


def run(image, *words, cwd=None, **variables):
    """A process of the image, without a capability; by default in its working directory."""
    where = cwd or image.root / IMAGE.only("WORKDIR").rest.lstrip("/")
    return subprocess.run(
        [*PLAIN, *words], cwd=where, env=image.variables(IMAGE) | variables,
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_the_stages_build_and_their_tree_runs_read_only(image, tmp_path):
    before = tree(image.root)
    assert image.noted == [
        "useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin leadmark",
        "chown leadmark:leadmark /data",
    ]
    no_more_than_it_needs(image)
    our_names_are_the_images(image, tmp_path / "admin")
    nothing_can_be_written_but_data(image)
    an_admins_config_runs(image, tmp_path / "config")
    the_worker_runs_until_sigterm(image, tmp_path)
    health_is_what_livez_says(image)
    assert tree(image.root) == before


def no_more_than_it_needs(image):
    site = next((image.root / "opt/leadmark/lib").glob("python3.*")) / "site-packages"
    there = {path.name.split("-")[0].lower() for path in site.iterdir()}
    assert {"config", "connectors", "scoring", "sync", "hubspot", "simple_salesforce"} <= there
    assert not there & {"pip", "setuptools", "hatchling", "pytest", "mypy", "ruff", "tests", "editables"}
    tops = {path.name for path in image.root.iterdir()}
    assert tops == {"opt", "data", "etc"}
    compiled = list((site / "sync").rglob("*.pyc"))
    assert compiled, "a tree that cannot be written is compiled when it is built"


def our_names_are_the_images(image, folder):
    for name in ("config", "connectors", "scoring", "sync"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise ImportError('a decoy was imported')\n")
    helped = run(image, *IMAGE.only("ENTRYPOINT").words, "--help", cwd=folder)
    assert helped.returncode == 0, helped
    assert "Scores the people in your CRM" in helped.stdout


def nothing_can_be_written_but_data(image):
    wrote = "for place in . /opt/leadmark /opt/leadmark/bin /etc/leadmark; do touch $place/x && echo $place; done"
    told = run(image, "/bin/sh", "-c", image.inside(wrote)).stdout.split()
    assert told == ["."]


def an_admins_config_runs(image, folder):
    """Checked, and its store made under /data."""
    starters.write("b2b-saas", folder)
    file = folder / "leadmark.yaml"
    file.write_text(file.read_text().replace("../leadmark-store", str(image.root / "data")))
    modes(folder, lambda mode: mode & ~0o222)
    entry = IMAGE.only("ENTRYPOINT").words
    checked = run(image, *entry, "check", "--config", str(folder))
    assert (checked.returncode, checked.stdout[:5]) == (0, "fine:"), checked
    migrated = run(image, *entry, "migrate", "--config", str(folder))
    assert migrated.returncode == 0, migrated
    assert (image.root / "data/leadmark.sqlite3").is_file()


def the_worker_runs_until_sigterm(image, folder):
    """On the volume, with its secret in a file, asked by the image's own probe."""
    (folder / "key").write_text("pat-in-a-file\n")
    world = make_world(20, 7, now=NOW)
    with Emulator.start(world) as emulator:
        portal = {"id": str(world.portal_id), "production": False}
        connection = {"url": emulator.url, "portal": portal, "login": {"service_key": f"file:{folder / 'key'}"}}
        overlay = folder / "overlay.yaml"
        overlay.write_text(
            json.dumps({"connections/hubspot": connection, "leadmark": {"worker": {"host": "127.0.0.1", "port": 0}}})
        )
        command, *words = [*IMAGE.only("ENTRYPOINT").words, *IMAGE.only("CMD").words]
        words = [word.replace("/etc/leadmark", str(folder / "config")) for word in words]
        with subprocess.Popen(
            [*PLAIN, command, *words], cwd=image.root / "data", text=True, stderr=subprocess.PIPE,
            env=image.variables(IMAGE) | {"LEADMARK_OVERLAY": str(overlay)},
        ) as worker:  # fmt: skip
            try:
                assert worker.stderr is not None
                logged = (json.loads(line) for line in worker.stderr)
                port = next(line["port"] for line in logged if line["event"] == "the worker began")
                (probe,) = stages(f"FROM x\n{IMAGE.only('HEALTHCHECK').rest}")[0].instructions
                assert run(image, *probe.words, str(port)).returncode == 0
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(timeout=30) == 0
            finally:
                worker.kill()


def health_is_what_livez_says(image):
    """The image's own check, asked of another port."""
    (probe,) = stages(f"FROM x\n{IMAGE.only('HEALTHCHECK').rest}")[0].instructions
    asked = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if len(asked) == 1 else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            words = [*probe.words, str(server.server_port)]
            assert run(image, *words, http_proxy="http://127.0.0.1:9").returncode == 0
            assert run(image, *words).returncode == 1
        finally:
            server.shutdown()
            thread.join()
    assert asked == ["/livez", "/livez"]
    assert run(image, *words).returncode == 1
