"""The four names at the top are ours, and every room imports from the floors below only."""

import importlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["config", "connectors", "scoring", "sync"]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_top_level_name_is_ours(name):
    """They are plain words; another distribution of the same name must not come first."""
    module = importlib.import_module(name)
    assert Path(module.__file__).parent == ROOT / name


def test_no_other_distribution_brings_one_of_our_names():
    brought_by = metadata.packages_distributions()
    assert {name: set(brought_by.get(name, ["leadmark"])) for name in PACKAGES} == {
        name: {"leadmark"} for name in PACKAGES
    }


def test_the_distribution_is_private():
    assert "Private :: Do Not Upload" in metadata.metadata("leadmark").get_all("Classifier")


def test_the_floors_hold():
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout


def test_the_scoring_core_needs_neither_clock_nor_files_nor_network():
    """Scoring imports numpy, pydantic, re2 and the plain parts of the standard library."""
    allowed = {"numpy", "pydantic", "pydantic_core", "re2", "scoring"}
    forbidden = {
        "time",
        "random",
        "os",
        "pathlib",
        "socket",
        "logging",
        "requests",
        "sqlalchemy",
        "structlog",
        "secrets",
    }
    for file in sorted((ROOT / "scoring").glob("*.py")):
        named = {
            line.split()[1].split(".")[0]
            for line in file.read_text().splitlines()
            if line.startswith(("import ", "from "))
        }
        assert not named & forbidden, f"{file.name} imports {named & forbidden}"
        outside = {name for name in named if name not in sys.stdlib_module_names} - allowed
        assert not outside, f"{file.name} imports {outside}"
