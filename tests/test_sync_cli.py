"""The command line before any pass: help, wrong usage, init, check, migrate, and what nobody may see."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from connectors.emulator.people import make_world
from sync.app import clock
from sync.cli import run
from sync.cli.commands import app
from sync.cli.demo import SEED, configured
from sync.cli.emulating import TOKEN, started
from sync.cli.passes import code_of, plan_code_of
from sync.report import ConnectionReport, RunReport

HERE = Path(__file__).parent


def command_lines():
    """Every command with its subcommands."""
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    for group in app.registered_groups:
        names += [f"{group.name} {command.name}" for command in group.typer_instance.registered_commands]
    return names


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "config"
    assert run(["init", str(folder)]) == 0
    return folder


def leadmark(*arguments, **variables):
    """A run in a process of its own."""
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith(("LEADMARK_", "HS_"))}, **variables}
    script = Path(sys.executable).with_name("leadmark")
    return subprocess.run(
        [script, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment, check=False
    )


@pytest.mark.parametrize("command", command_lines())
def test_every_command_has_a_help(command, capsys):
    assert run([*command.split(), "--help"]) == 0
    assert "Usage: leadmark" in capsys.readouterr().out


@pytest.mark.parametrize("command", command_lines())
def test_every_command_and_option_is_documented(command, capsys):
    text = (HERE.parent / "docs" / "commands.md").read_text()
    run([*command.split(), "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}

    assert f"leadmark {command}" in text
    assert {option for option in options if option not in text} == set()


def test_the_help_loads_nothing_heavy():
    script = (
        "import sys; from sync.cli import run; run(['--help']); "
        "print({'numpy', 'alembic', 'sqlalchemy', 'hubspot', 'pydantic', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


USAGE_CASES = [
    ("no command", [], "Usage: leadmark"),
    ("an unknown command", ["plam"], "No such command 'plam'"),
    ("an unknown option", ["plan", "--dry"], "No such option: --dry"),
    ("a missing argument", ["init"], "Missing argument 'DIR'"),
    ("text for a number", ["demo", "--people", "many"], "'--people'"),
    ("too few for the guard to stop", ["demo", "--people", "10"], "'--people'"),
    ("two answers to one question", ["sync", "--adopt", "--restored"], "--adopt or --restored, not both"),
    ("dropping everything", ["quarantine", "drop"], "--code CODE or --field FIELD"),
]


@pytest.mark.parametrize(("remark", "arguments", "says"), USAGE_CASES, ids=[case[0] for case in USAGE_CASES])
def test_wrong_usage_is_64_and_says_what_is_wrong(remark, arguments, says, capsys):
    assert run(arguments) == 64
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_wrong_usage_of_the_installed_command_is_64():
    done = leadmark("plan", "--dry")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("leadmark plan: No such option")


def test_init_writes_a_config_that_check_finds_fine(tmp_path, capsys):
    assert run(["init", str(tmp_path / "c")]) == 0
    said = capsys.readouterr().out
    assert f"leadmark check --config {tmp_path / 'c'}" in said
    assert run(["check", "--config", str(tmp_path / "c")]) == 0
    assert capsys.readouterr().out == "fine: 1 connection, 1 model\n"


def test_init_twice_says_so_and_writes_nothing(config, capsys):
    assert run(["init", str(config)]) == 1
    assert "already exists; nothing was written" in capsys.readouterr().err


def test_init_names_the_starter_that_was_meant(tmp_path, capsys):
    assert run(["init", str(tmp_path / "c"), "--starter", "b2b-sass"]) == 1
    assert 'did you mean "b2b-saas"?' in capsys.readouterr().err


def test_check_names_every_mistake_with_its_place(config, capsys):
    file = config / "connections" / "hubspot.yaml"
    file.write_text(file.read_text().replace("crm: hubspot", "crm: hubspott").replace("mode: shadow", "mode: shadw"))
    place = next(n for n, line in enumerate(file.read_text().splitlines(), 1) if "mode: shadw" in line)
    capsys.readouterr()

    assert run(["check", str(config)]) == 1
    said = capsys.readouterr().out
    assert re.search(rf"^connections/hubspot.yaml:{place}:\d+: ", said, re.MULTILINE)
    assert "nothing runs until they are mended" in said

    assert run(["check", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["fine"] is False
    assert place in {problem["line"] for problem in found["problems"]}


@pytest.mark.parametrize("command", ["plan", "sync", "status", "explain 1", "timeline 1", "quarantine", "migrate"])
def test_nothing_runs_while_the_config_is_wrong(command, config, capsys):
    (config / "models" / "b2b.yaml").write_text("model: b2b\n")
    assert run([*command.split(), "--config", str(config)]) == 1
    said = capsys.readouterr()
    assert "models/b2b.yaml:" in said.err
    assert "nothing was run" in said.err


def test_the_folder_can_come_from_the_environment(config, monkeypatch, capsys):
    monkeypatch.setenv("LEADMARK_CONFIG", str(config))
    capsys.readouterr()
    assert run(["check"]) == 0
    assert capsys.readouterr().out.startswith("fine")


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_a_missing_secret_is_one_line_that_names_it(command, config, capsys):
    assert run([command, "--config", str(config)]) == 1
    assert re.fullmatch(r"env:(HS_\w+): .*; set \1\n", capsys.readouterr().err)


@pytest.mark.parametrize("command", ["status", "explain 1", "timeline 1", "quarantine list", "quarantine retry"])
def test_before_the_first_pass_there_is_no_store_and_none_is_made(command, config, capsys):
    assert run([*command.split(), "--config", str(config)]) == 1
    assert capsys.readouterr().err.endswith(f" yet; run a pass first: leadmark plan --config {config}\n")
    assert not (config.parent / "leadmark-store" / "leadmark.sqlite3").exists()


def test_what_to_type_names_no_folder_where_none_was_named(config, capsys, monkeypatch):
    capsys.readouterr()
    monkeypatch.setenv("LEADMARK_CONFIG", str(config))
    assert run(["status"]) == 1
    assert capsys.readouterr().err.endswith(": leadmark plan\n")
    monkeypatch.delenv("LEADMARK_CONFIG")
    monkeypatch.chdir(config)
    assert run(["status"]) == 1
    assert capsys.readouterr().err.endswith(": leadmark plan\n")


@pytest.mark.parametrize("command", ["catalog", "coverage"])
def test_an_empty_store_says_what_to_type_first(command, config, capsys):
    assert run(["migrate", "--config", str(config)]) == 0
    assert run([command, "--config", str(config)]) == 1
    assert capsys.readouterr().err.endswith(f"; run a pass first: leadmark plan --config {config}\n")


def test_migrate_makes_a_store_and_may_be_repeated(config, capsys):
    capsys.readouterr()
    assert run(["migrate", "--config", str(config)]) == 0
    assert re.fullmatch(r"a new store with schema \w+\n", capsys.readouterr().out)
    assert run(["migrate", "--config", str(config)]) == 0
    assert re.fullmatch(r"the store has schema \w+ already\n", capsys.readouterr().out)


EXIT_CASES = [
    # remark, what the pass did, sync, plan
    ("nothing to do", {}, 0, 0),
    ("in shadow", {"state": "shadow"}, 0, 0),
    ("the guard", {"state": "stopped_by_guard"}, 3, 3),
    ("filled fields", {"state": "needs_adoption"}, 3, 3),
    ("parked", {"state": "parked"}, 4, 4),
    ("quota spent", {"state": "deferred_quota", "written": 100}, 4, 4),
    ("one refused", {"written": 99, "rejected": 1}, 4, 0),
]


@pytest.mark.parametrize(("remark", "did", "sync", "plan"), EXIT_CASES, ids=[case[0] for case in EXIT_CASES])
def test_exit_codes_say_how_a_pass_ended(remark, did, sync, plan):
    now = clock()()
    report = RunReport(pass_id="p", started_at=now, connections={"hubspot": ConnectionReport(**did)})
    assert code_of(report, stopped=False) == sync
    assert plan_code_of(report, stopped=False) == plan
    assert code_of(report, stopped=True) == plan_code_of(report, stopped=True) == 0  # as it was told


def test_one_connection_parked_and_one_stopped_waits_for_a_yes():
    mine = {"a": ConnectionReport(state="parked"), "b": ConnectionReport(state="stopped_by_guard")}
    report = RunReport(pass_id="p", started_at=clock()(), connections=mine)
    assert code_of(report, stopped=False) == 3


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_reader_that_has_enough_gets_no_traceback(config, options):
    script = Path(sys.executable).with_name("leadmark")
    line = f"{script} check {config} {options} | head -0"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_the_emulator_serves_until_it_is_told_to_stop():
    script = Path(sys.executable).with_name("leadmark")
    with subprocess.Popen(
        [script, "emulator", "--people", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", first).group()
        rest = [process.stdout.readline() for _ in range(6)]
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert any(f"url: {url}" in line for line in rest)


def test_a_port_in_use_is_one_line(capsys):
    now = clock()()
    with started(make_world(1, SEED, now=now), now) as emulator:
        port = emulator.url.rpartition(":")[2]
        assert run(["emulator", "--people", "1", "--port", port]) == 1
    assert "--port 0 takes a free one" in capsys.readouterr().err


def test_rows_of_exports_that_cannot_be_read_are_named_and_the_rest_is_served(tmp_path):
    (tmp_path / "contacts.csv").write_text("email,createdate\njo@acme.example,someday\nal@acme.example,2026-01-02\n")
    arguments = [Path(sys.executable).with_name("leadmark"), "emulator", "--load", tmp_path]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        with urllib.request.urlopen(f"{url}/_emulator/records/contacts", timeout=10) as reply:
            served = reply.read().decode()
        process.terminate()
        assert process.wait(timeout=20) == 0
        said = process.stderr.read()
    assert "al@acme.example" in served
    assert "jo@acme.example" not in served
    assert "contacts.csv:2: " in said
    assert "1 problem; what it names is left out, the rest is served" in said


def test_exports_without_readable_contacts_are_not_served(tmp_path, capsys):
    (tmp_path / "companies.csv").write_text("name\nAcme\n")
    assert run(["emulator", "--load", str(tmp_path)]) == 1
    assert "nothing can be served" in capsys.readouterr().err


def test_the_config_for_an_emulator_is_fine_and_holds_no_token(tmp_path, capsys):
    now = clock()()
    with started(make_world(1, SEED, now=now), now) as emulator:
        config = configured(tmp_path, emulator)
    assert run(["check", str(config)]) == 0
    assert capsys.readouterr().out.startswith("fine")
    assert not [path for path in config.rglob("*") if path.is_file() and TOKEN in path.read_text()]
