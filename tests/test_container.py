"""What the Dockerfile, compose.yaml and the locks say of the image."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.dockerfile import let_in, stages

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = stages(DOCKERFILE)
BUILD, IMAGE = STAGES
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]


def pins(name: str) -> dict[str, frozenset[str]]:
    """Every ``name==version`` (with its marker) of a lock, and the hashes it may have."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
    found = {}
    for block in blocks:
        pinned = re.match(r"([\w.-]+==[^\s;\\]+)", block)
        if pinned:
            found[pinned[1]] = frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))
    return found


# The locks


@pytest.mark.parametrize("name", ["requirements-run.lock", "requirements-build.lock"])
def test_the_image_has_the_versions_that_are_tested(name):
    """Each pin stands in the developers' lock, too, with the same hashes."""
    tested = pins("requirements.lock")
    found = pins(name)
    assert found
    assert all(hashes for hashes in found.values())
    assert found.items() <= tested.items()


def test_the_image_has_every_library_the_project_asks_for_and_no_tool():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {re.match(r"[\w.-]+", one)[0].lower() for one in project["project"]["dependencies"]}
    tools = {re.match(r"[\w.-]+", one)[0].lower() for one in project["dependency-groups"]["dev"]}
    locked = {one.split("==")[0].lower() for one in pins("requirements-run.lock")}
    assert asked <= locked
    assert not tools & locked
    builds = {re.match(r"[\w.-]+", one)[0] for one in project["build-system"]["requires"]}
    assert builds <= {one.split("==")[0] for one in pins("requirements-build.lock")}


# The image


def test_both_stages_have_the_same_python():
    """The environment is copied from one to the other, and links to it."""
    assert BUILD.base == IMAGE.base
    assert re.fullmatch(r"python:3\.\d+-slim", IMAGE.base)


def test_nothing_is_installed_without_a_hash():
    for stage in STAGES:
        for run in stage.all("RUN"):
            for command in run.rest.split("&&"):
                if "pip" in command and "venv" not in command:
                    assert "--require-hashes" in command or "--no-index" in command, command


def test_the_image_is_run_by_a_fixed_number_that_is_not_root():
    user, group = IMAGE.only("USER").rest.split(":")
    assert int(user) == int(group) > 999
    (made,) = [run for run in IMAGE.all("RUN") if "useradd" in run.rest]
    assert f"--uid {user} --user-group" in made.rest


def test_the_worker_is_the_first_process_and_gets_sigterm_itself():
    """In exec form there is no shell between the engine and leadmark."""
    assert IMAGE.only("ENTRYPOINT").rest == '["leadmark"]'
    assert IMAGE.only("CMD").words == ["worker", "--config", "/etc/leadmark"]
    assert not IMAGE.all("STOPSIGNAL")


def test_only_data_is_written():
    assert IMAGE.only("VOLUME").rest == "/data"
    assert IMAGE.only("WORKDIR").rest == "/data"
    assert IMAGE.environment["PYTHONSAFEPATH"] == "1"
    assert IMAGE.environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_no_secret_is_built_in():
    named = re.compile(r"token|secret|passw|credential|private|api_?key|HS_|SF_", re.IGNORECASE)
    for stage in STAGES:
        assert not stage.all("ARG")
        assert not [name for name in stage.environment if named.search(name)]
        assert not [copy for copy in stage.all("COPY") if named.search(copy.rest)]


def test_no_address_is_built_in():
    for name in ("Dockerfile", "compose.yaml", ".dockerignore"):
        addresses = re.findall(r"\w+://\S+", (ROOT / name).read_text(encoding="utf-8"))
        assert not addresses, name


def test_a_build_sees_the_packages_and_nothing_else_of_the_checkout():
    let = list(let_in((ROOT / ".dockerignore").read_text(encoding="utf-8"), ROOT))
    tops = {path.parts[0] for path in let}
    packages = {"config", "connectors", "scoring", "sync"}
    assert tops == packages | {"pyproject.toml", "README.md", "requirements-build.lock", "requirements-run.lock"}
    assert not [path for path in let if "__pycache__" in path.parts or path.name.startswith(".")]
    here = {
        path.relative_to(ROOT)
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here <= set(let)


# compose.yaml


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_do_nothing_but_its_work(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"]
    assert not service.get("privileged")
    assert not service.get("cap_add")
    assert service.get("user") not in ("root", "0", 0)


def test_the_worker_gets_its_config_to_read_and_one_volume_to_write():
    worker = SERVICES["leadmark"]
    assert worker["volumes"] == ["./crm:/etc/leadmark:ro", "store:/data"]
    assert "store" in COMPOSE["volumes"]
    assert worker["stop_grace_period"] == "30s"
    assert "command" not in worker, "the image's own"


def test_the_workers_port_is_open_on_this_host_only():
    (port,) = SERVICES["leadmark"]["ports"]
    assert port == f"127.0.0.1:8080:{IMAGE.only('EXPOSE').rest}"
    assert not [name for name, service in SERVICES.items() if name != "leadmark" and "ports" in service]


def test_secrets_are_files_and_no_variables():
    granted = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert granted <= set(COMPOSE["secrets"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("TOKEN|SECRET|PASSWORD|KEY", name.removesuffix("_FILE")) or value.startswith("/run/")


def test_the_worker_alone_starts_without_a_profile():
    assert {name for name, service in SERVICES.items() if not service.get("profiles")} == {"leadmark"}


def test_the_emulator_is_reached_by_the_worker_only():
    """It listens on the loopback address, so it shares the worker's network."""
    assert SERVICES["try"]["network_mode"] == "service:leadmark"
    assert SERVICES["try"]["command"][0] == "emulator"


def test_compose_asks_for_health_as_the_image_does():
    checked = SERVICES["leadmark"]["healthcheck"]
    image = IMAGE.only("HEALTHCHECK")
    assert [checked["interval"], checked["timeout"], checked["start_period"], str(checked["retries"])] == [
        image.flags[name] for name in ("interval", "timeout", "start-period", "retries")
    ]
    assert checked["test"] == ["CMD", *stages(f"FROM x\n{image.rest}")[0].only("CMD").words]
