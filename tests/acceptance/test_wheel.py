"""The wheel in a clean environment, run from an admin's folder as the container runs it.

Nothing of the checkout is seen, and nothing is downloaded.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from connectors.emulator.people import make_world
from tests.acceptance.processes import NOW, Installation

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "connectors", "scoring", "sync")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel."""
    place = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*words, "-w", place, ROOT], check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The programs of a new environment with the wheel, which sees the locked dependencies and no checkout."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin/python"
    words = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*words, wheel], check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    mine = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    # a plain line in a .pth file adds the folder alone: its own .pth files, such as the checkout's, are not followed
    (Path(mine) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def test_every_file_of_the_packages_is_in_it_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as packed:
        inside = {name for name in packed.namelist() if ".dist-info/" not in name}
    here = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert inside == here


@pytest.mark.parametrize(
    "name",
    [
        "config/starters/shared/leadmark.yaml",
        "config/starters/shared/connections/hubspot.yaml",
        "config/starters/b2b-saas/models/b2b.yaml",
        "config/starters/shared/lists/competitors.txt",
        "config/lists/free_domains.txt",
        "config/titles.yaml",
        "config/leadmark.schema.json",
        "sync/store/migrations/env.py",
        "sync/store/migrations/versions/0001_begin.py",
        "connectors/emulator/server.py",
    ],
)
def test_what_runs_only_when_it_is_shipped_is_in_it(wheel, name):
    with zipfile.ZipFile(wheel) as packed:
        assert packed.getinfo(name).file_size


@pytest.fixture
def decoys(tmp_path):
    """An admin's folder that has our names in it."""
    place = tmp_path / "admin"
    for name in PACKAGES:
        (place / name).mkdir(parents=True)
        (place / name / "__init__.py").write_text("raise ImportError('a decoy was imported')\n")
    return place


def test_our_names_are_the_wheels_wherever_it_runs(environment, decoys):
    code = (
        "import config, connectors, scoring, sync\nfor one in (config, connectors, scoring, sync): print(one.__file__)"
    )
    told = subprocess.run(
        [environment / "python", "-c", code],
        cwd=decoys, env={"PYTHONSAFEPATH": "1"}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for line in told.stdout.splitlines():
        assert Path(line).is_relative_to(environment.parent), line


def test_check_plan_sync_and_a_quiet_pass(environment, decoys):
    program = (str(environment / "leadmark"),)
    options = {"program": program, "variables": {"PYTHONSAFEPATH": "1"}}
    with Installation.make(make_world(60, 31, now=NOW), decoys, write={"guard": {"new_mql": 60}}, **options) as one:
        checked = one.run("check")
        assert checked.code == 0, checked
        planned = one.run("plan", "--json")
        assert planned.code == 2, planned
        assert not one.writes()
        report = one.live()
        assert report["written"] == 60
        quiet = one.live()
        assert (quiet["written"], quiet["scored"]) == (0, 0)
        assert one.run("status").code == 0
        held = one.held()["contacts"].values()
        assert all(properties["leadmark_model"] == "b2b" for properties in held)


def test_init_writes_a_starter_that_checks(environment, tmp_path):
    """From the wheel alone: the shipped starter, lists and schemas."""
    variables = {"PYTHONSAFEPATH": "1", "HS_PORTAL": "1"}
    words = [str(environment / "leadmark")]
    for command in (["init", "made"], ["check", "--config", "made"]):
        done = subprocess.run(
            [*words, *command], cwd=tmp_path, env=variables, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done
