"""Health answers to whoever asks, never asks anybody, and the probe says the same by its exit code."""

import http.client
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import active_count

import pytest

import sync
from sync.health import Answer, Pulse, alive, serve

FINE = Answer(body=b'{"fine": true}')


def get(port, path, host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def test_pages_are_served_by_their_path():
    pages = {"/livez": lambda: FINE, "/metrics": lambda: Answer(status=503, type="text/plain", body=b"x 1")}
    with serve("127.0.0.1", 0, pages) as port:
        assert get(port, "/livez")[:2] == (200, b'{"fine": true}')
        assert get(port, "/livez?verbose")[0] == 200
        status, body, headers = get(port, "/metrics")
        assert (status, body, headers["Content-Type"]) == (503, b"x 1", "text/plain")
        assert headers["Server"] == "leadmark", "no version for who has no business here"


@pytest.mark.parametrize("path", ["/", "/livez/", "/status", "/../etc/passwd", "/livez%20"])
def test_anything_else_is_not_there(path):
    with serve("127.0.0.1", 0, {"/livez": lambda: FINE}) as port:
        assert get(port, path)[0] == 404


def test_nothing_can_be_changed():
    with serve("127.0.0.1", 0, {"/livez": lambda: FINE}) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/livez", b"{}")
        assert connection.getresponse().status == 501
        connection.close()


def test_a_page_that_takes_long_holds_up_no_other():
    with serve("127.0.0.1", 0, {"/slow": lambda: get(port, "/livez") and FINE, "/livez": lambda: FINE}) as port:
        assert get(port, "/slow")[0] == 200


def test_it_leaves_no_thread_and_no_port():
    before = active_count()
    with serve("127.0.0.1", 0, {"/livez": lambda: FINE}) as port:
        get(port, "/livez")
    assert active_count() == before
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(OSError, match="in use"),
        serve("127.0.0.1", port, {}),
    ):
        pass


def test_it_is_served_by_ipv6_too():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serve("::1", 0, {"/livez": lambda: FINE}) as port:
        assert get(port, "/livez", "::1")[0] == 200


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_probe_says_it_by_its_exit_code(status, code):
    with serve("127.0.0.1", 0, {"/livez": lambda: Answer(status=status, body=b"")}) as port:
        assert alive(port) == (code == 0)
        done = subprocess.run([sys.executable, "-m", "sync.health", str(port)], check=False, env=os.environ)
    assert done.returncode == code


def test_the_probe_fails_where_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not alive(port, timeout_s=0.1)
    assert not alive(port)


def test_the_probe_needs_nothing_but_the_standard_library():
    """It runs twice a minute; ``-S`` leaves the installed libraries out."""
    root = Path(sync.__file__).parents[1]
    subprocess.run([sys.executable, "-S", "-c", "import sync.health"], check=True, env={"PYTHONPATH": str(root)})


def test_every_step_of_a_pass_is_a_sign_of_life():
    at = [0.0]
    pulse = Pulse(monotonic=lambda: at[0])
    for step in (pulse.beat, lambda: pulse.phase("pull", None), lambda: pulse.advance(3, 10)):
        at[0] += 60
        assert pulse.age_s() == 60
        step()
        assert pulse.age_s() == 0
