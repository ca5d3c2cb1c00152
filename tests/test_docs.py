"""What a newcomer reads is true: YAML loads, commands run, links lead somewhere, numbers are those of the model."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.main import get_command

from config import starters
from config.loader import load
from config.problems import Problem
from config.reading import read
from scoring.compile import Touchpoint, compile_model
from scoring.facts import derive
from scoring.journey import Change, advance
from scoring.kernel import Batch, score_people
from scoring.wording import STATUS_WORDS
from sync.cli.commands import app
from sync.cli.standing import STATES
from sync.report import State

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guides" / "first-hubspot-portal.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
#: the shell finds this suite's `leadmark`, and nothing of this machine's settings
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("LEADMARK_", "HS_"))},
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "LEADMARK_NOW": "2026-11-20T10:00:00Z",  # ten days after the README's demo request
}

#: the words design and code are told in
TERMS = [
    "person", "record", "activity", "touchpoint", "fact", "fit", "engagement", "decay", "half-life", "grade",
    "tier", "momentum", "MQL", "journey", "recycle", "pass", "cursor", "page", "plan", "receipt", "guard",
    "quarantine", "emulator", "confirmed", "observed", "desired", "quiet write", "adoption", "ledger", "hand-off",
    "transition", "cause", "stale", "canonical", "connection", "connector", "stream", "stamp", "policy", "brake",
    "timeline", "alias", "retention", "store", "starter", "overlay", "score day", "sales' word", "model digest",
    "run digest", "lag window", "write mode", "link", "linked record", "succession", "converted", "ambiguous address",
    "scope", "prefer", "outcome", "org", "native sync", "optional field", "hidden field", "worker", "deadline", "lease",
    "epoch", "pause", "allowance", "share of calls",
]  # fmt: skip
#: the mistakes whose messages the README shows: file, what stands there, what somebody typed
MISTAKES = [
    ("connections/hubspot.yaml", "service_key: env:HS_TOKEN", "service_key: pat-na1-11111111"),
    ("leadmark.yaml", "time_zone: UTC", "time_zone: Europe/Berln"),
    ("models/b2b.yaml", "weights: {fit: 40, engagement: 60}", "weights: {fit: 40, engagement: 70}"),
    ("models/b2b.yaml", "hand_raise: {half_life: 60d}", "hand_raise: {half_live: 60d}"),
    ("models/b2b.yaml", "{seniority: student}", "{senority: student}"),
]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks in one of the languages, without the indentation of the list they stand in."""
    found = re.findall(r"^([ ]*)```(\w+)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, language, block in found if language in languages]


def lay(folder: Path, text: str) -> None:
    """Puts a page's files into the folder; a file shown in part is laid over the one that stands there."""
    for block in blocks(text, "yaml", "text"):
        headed = re.match(r"# (\S+\.(?:yaml|txt))(, in part)?\n", block)
        if headed is None:
            continue
        file = folder / headed[1]
        file.parent.mkdir(exist_ok=True)
        if headed[1].startswith("models/"):  # as the pages say: the starter's cases go with the starter's model
            shutil.rmtree(folder / "golden", ignore_errors=True)
        whole = laid_over(file.read_text(encoding="utf-8"), block) if headed[2] else block
        file.write_text(whole, encoding="utf-8")


def laid_over(below: str, above: str) -> str:
    trees = []
    for text in (below, above):
        document, problems = read("shown.yaml", text)
        assert document is not None
        assert not problems
        trees.append(document.value)
    return json.dumps(merged(*trees))  # JSON is YAML


def merged(below, above):
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: merged(below.get(key), value) for key, value in above.items()}
    return above


def shown_config(folder: Path, *texts: str) -> list[Problem]:
    """The problems of a starter with the files of these pages in place of its own."""
    starters.write("b2b-saas", folder)
    for text in texts:
        lay(folder, text)
    for overlay in (None, *sorted((folder / "overlays").glob("*.yaml"))):
        settings, problems = load(folder, overlay)
        assert settings is not None, [str(problem) for problem in problems]
    return problems


# YAML


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_yaml_block_says_which_file_it_is(page):
    for block in blocks(page.read_text(encoding="utf-8"), "yaml"):
        named = r"# (leadmark|approvals|titles|(connections|models|golden|overlays)/\w+)\.yaml(, in part)?\n"
        assert re.match(named, block), block


@pytest.mark.parametrize("page", [page for page in PAGES if "```yaml\n" in page.read_text("utf-8")], ids=name)
def test_every_yaml_block_loads(page, tmp_path):
    shown_config(tmp_path, README, page.read_text(encoding="utf-8"))


def test_the_files_of_the_readme_and_the_guide_are_without_a_warning(tmp_path):
    (tmp_path / "a").mkdir()
    assert not [str(one) for one in shown_config(tmp_path / "a", README) if "target_accounts" not in one.path]
    assert not [str(one) for one in shown_config(tmp_path / "b", README, GUIDE) if "competitors" not in one.path]


# The model by example


@pytest.fixture
def example(tmp_path):
    shown_config(tmp_path, README)
    settings, _ = load(tmp_path)
    assert settings is not None
    return settings


def test_the_numbers_beside_the_model_are_those_of_the_model(example):
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\w+) \| (\w+) \|", README, re.MULTILINE)
    assert len(rows) == 3
    model = example.models["b2b"]
    touchpoint = Touchpoint(number=1, kind="form_submitted", attributes={"form": ("f-1", "Demo request")})
    compiled = compile_model(model, [touchpoint], example.tables, time_zone="UTC")
    known = {"title": "Vice President", "employees": 120, "company": "Northwind", "email": "ada@northwind.example"}
    facts = derive(known, example.tables, model.facts_read())
    asked = date(2026, 10, 1)
    number = (asked - date(1970, 1, 1)).days
    batch = Batch(
        facts=[facts],
        offsets=np.array([0, 1]),
        at=np.array([number * 86_400_000_000]),
        day=np.array([number]),
        touchpoint=np.array([1], dtype=np.uint32),
    )
    journey = None
    for days in range(61):
        found = score_people(compiled, batch, number + days).person(0)
        digests = {"run_digest": "", "fact_hash": "", "timeline_digest": ""}
        on = asked + timedelta(days=days)
        journey, _ = advance(model, journey, found, None, on, **digests, change=Change())
        for row in [row for row in rows if int(row[0]) == days]:
            shown = (found.fit, found.engagement, found.score, found.tier, STATUS_WORDS[journey.status])
            assert row[1:] == tuple(map(str, shown))


def test_an_export_is_tried_as_the_readme_says(tmp_path):
    """Its shell lines, as they stand there but for the port."""
    section = README.partition("## Try a model on your own export")[2].partition("\n## ")[0]
    before, after = blocks(section, "sh")
    setup, line = before.rstrip().rsplit("\n", 1)
    assert line == "leadmark emulator --load exports --port 8765"
    run_in(tmp_path, setup)
    lay(tmp_path / "trial" / "config", README)
    with subprocess.Popen(
        line.replace("8765", "0").split(), cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as emulator:
        try:
            assert emulator.stdout is not None
            told = [emulator.stdout.readline() for _ in range(7)]
            lines = {line.split(":")[0].strip(): line.strip() for line in told if line.startswith("  ")}
            assert set(lines) == {"url", "portal", "login"}
            file = tmp_path / "trial" / "config" / "connections" / "hubspot.yaml"
            kept = [line for line in file.read_text().splitlines() if line.split(":")[0] not in lines]
            file.write_text("\n".join([*kept, *lines.values()]) + "\n")
            checked, planned, explained = (
                run_in(tmp_path, f"export HS_TOKEN=pat-emulator\n{command}", code=code)
                for command, code in zip(after.splitlines()[1:], (0, 2, 0), strict=True)
            )
        finally:
            emulator.terminate()
    assert checked.startswith("fine")
    assert "to write" in planned
    assert "Asked for a demo" in explained


def run_in(folder: Path, script: str, code: int = 0) -> str:
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


# What commands say


def test_check_says_what_the_readme_shows(tmp_path):
    run_in(tmp_path, "leadmark init crm && leadmark check --config crm")
    for path, right, wrong in MISTAKES:
        file = tmp_path / "crm" / path
        assert file.read_text().count(right) == 1
        file.write_text(file.read_text().replace(right, wrong))
    said = run_in(tmp_path, "leadmark check --config crm", code=1)
    assert said in blocks(README, "text")


def test_the_demo_says_what_the_readme_shows(tmp_path):
    """Every line without a number; the rest depends on how many people there are, and on the date."""
    shown = next(block for block in blocks(README, "text") if block.startswith("leadmark demo"))
    said = run_in(tmp_path, "leadmark demo --people 300").splitlines()
    words = [
        line.split() for line in shown.splitlines() if line.strip() not in {"", "…"} and not re.search(r"\d", line)
    ]
    assert len(words) > 6
    assert not [line for line in words if line not in map(str.split, said)]
    headed = {line.split()[0] for line in said if re.match(r"  [a-z]+ .*\d$", line)}
    assert not {line.split()[0] for line in shown.splitlines() if re.match(r"  [a-z]+ .*\d$", line)} - headed


def commands(group, *before: str):
    for label, command in group.commands.items():
        yield (*before, label), command
        if hasattr(command, "commands"):
            yield from commands(command, *before, label)


COMMANDS = {" ".join(words): command for words, command in commands(get_command(app))}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_documented_with_its_options(words):
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert f"`leadmark {words}" in pages
    options = {option for parameter in COMMANDS[words].params for option in parameter.opts if option.startswith("--")}
    assert not [option for option in options - {"--help"} if not re.search(rf"{option}(?![\w-])", pages)]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_shown_is_one_that_can_be_typed(page):
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(text, "sh", "text") for line in block.splitlines()]
    typed = [found[1] for line in lines if (found := re.match(r"\s*leadmark ([a-z][^#&|>]*)", line))]
    typed += re.findall(r"`leadmark ([a-z][^`]*)`", text)
    for line in typed:
        first, *rest = line.split()
        words = f"{first} {rest[0]}" if rest and f"{first} {rest[0]}" in COMMANDS else first
        known = {option for parameter in COMMANDS[words].params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}, line


@pytest.mark.parametrize("state", get_args(State))
def test_every_way_a_pass_ends_is_documented_as_status_calls_it(state):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"| `{state}` | {STATES.get(state, state)} |" in page


# Pages


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        assert "://" not in target
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_of_ours_that_is_named_is_there(page):
    found = re.findall(r"`((?:scoring|config|connectors|sync|tests|docs)/[\w/.-]*)`", page.read_text(encoding="utf-8"))
    assert not [path for path in found if not (ROOT / path).exists()]


def test_every_decision_is_listed_and_short():
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for file in sorted(folder.glob("0*.md")):
        text = file.read_text(encoding="utf-8")
        assert f"[{file.name[:4]}]({file.name})" in listed
        assert re.match(rf"# {file.name[:4]} \S", text)
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("term", TERMS)
def test_the_glossary_has_the_word(term):
    assert f"**{term}**" in GLOSSARY


def test_the_changelog_speaks_of_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"^## \[(Unreleased|{re.escape(version)})\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_make_targets_of_the_readme_are_there():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


# The tree


def test_no_file_names_a_package_registry_or_a_path_of_one_machine():
    forbidden = re.compile(r"pypi\.|pythonhosted|registry\.npm|--index-url|(?<![\w.~$}])/(?:work|root|Users)/\w")
    places = [ROOT / place for place in (".ci", "config", "connectors", "docs", "scoring", "sync", "tests")]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    files += [file for file in ROOT.iterdir() if file.is_file() and not file.name.startswith(".coverage")]
    wrong = []
    for file in files:
        if "__pycache__" in file.parts or file == Path(__file__):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        wrong += [f"{name(file)}: {found[0]}" for found in forbidden.finditer(text)]
    assert not wrong
