"""The check of every test's log, itself checked."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

_SPEC = spec_from_file_location("conftest_of_all", Path(__file__).with_name("conftest.py"))
CONFTEST = module_from_spec(_SPEC)
_SPEC.loader.exec_module(CONFTEST)

LINES = [
    ('{"event": "connection parked", "reason": "jo@acme.example"}', True, "an address as JSON"),
    ("2026-11-20 [error    ] connection parked   reason=jo@acme.example", True, "an address on a terminal"),
    ('{"event":"call_repeated","why":"pat-na1-123"}', True, "a token"),
    ('{"event": "connection parked", "connection": "hubspot"}', False, "ids only"),
    ("jo@acme.example asked for a demo", False, "no line of a log"),
]


@pytest.mark.parametrize(("line", "leaks", "remark"), LINES)
def test_a_log_line_that_names_anybody_is_found(line, leaks, remark):
    assert bool(CONFTEST.personal(line)) is leaks, remark
