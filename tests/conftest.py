"""What every test relies on: loopback only, no secret of the machine, Hypothesis without deadlines."""

import ipaddress
import os
import re
import socket

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile(
    "search",
    deadline=None,  # a slow machine is no failure
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
#: the same examples in every run; `make conformance` searches for others
settings.register_profile("leadmark", settings.get_profile("search"), derandomize=True)
settings.load_profile("leadmark")


def _is_loopback(host: object) -> bool:
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True, scope="session")
def loopback_only():
    """No test reaches anything but this machine: a call to a real CRM fails at once."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}; tests use loopback only")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    """Variables that configure leadmark are set by the test that wants them."""
    for name in [name for name in os.environ if name.startswith(("LEADMARK_", "HS_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def logging_of_one_test():
    """A command that a test ran logs to that test's stderr; the next test has its own."""
    yield
    structlog.reset_defaults()


#: a line of our log, as JSON or as on a terminal
_LOGGED = re.compile(r'^\{.*"event": ?"|\[(debug|info|warning|error|critical) *\]')
#: an address, or a token
_PERSONAL = re.compile(r"[^\s\"'=]+@[\w-]+\.\w+|\bpat-[\w-]+|\b00D\w{12,15}!")


def personal(captured):
    """The lines of our log that name an address or a token."""
    return [line for line in captured.splitlines() if _LOGGED.search(line) and _PERSONAL.search(line)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Whatever a test is about: it fails when a log line of its run holds an address or a token."""
    report = yield
    leaked = personal(report.capstdout + report.capstderr + report.caplog)
    if leaked and report.passed:
        report.outcome = "failed"
        report.longrepr = "the log holds an address or a token:\n" + "\n".join(leaked)
    return report
