"""The command line: what can be typed, and what a shell gets back.

Results go to stdout, logs and progress to stderr. Exit codes stand in ``sync.cli.exits``. Modules that do the work are
imported when a command needs them, so that ``leadmark --help`` answers at once.
"""

import os
import signal
import sys
from collections.abc import Sequence

import typer

from sync.cli.commands import app
from sync.cli.exits import FAILED, INTERRUPTED, OK, USAGE, CommandError


def main() -> None:
    """Runs the command of this process's arguments and ends the process with its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(OK))  # nothing is begun yet; a pass listens in its own way
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 shows "?" and goes on
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command. What a user can get wrong is said in one line on stderr."""
    try:
        code = app(list(arguments), prog_name="leadmark", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _usage(error)
    except CommandError as error:
        return _say(str(error), error.code)
    except BrokenPipeError:  # the reader, such as `head`, has enough; rich ends the process alike
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # which are for users is imported late; all others are raised again
        if isinstance(error, _of_users()):
            return _say(_one_line(error), FAILED)
        raise
    return code if isinstance(code, int) else OK


def _usage(error: typer.TyperException) -> int:
    context, message = getattr(error, "ctx", None), error.format_message()
    if context is not None and message == context.get_help():
        return _say(message, USAGE)
    command = context.command_path if context else "leadmark"
    return _say(f"{command}: {message.rstrip('.')}. See: {command} --help", USAGE)


def _of_users() -> tuple[type[Exception], ...]:
    """The errors whose message is for the person at the keyboard, not for who wrote this program."""
    from config.secrets import SecretError  # noqa: PLC0415 - late: only a failure needs it
    from config.starters import StarterError  # noqa: PLC0415 - late: only a failure needs it
    from connectors.errors import ConnectorError  # noqa: PLC0415 - late: only a failure needs it
    from sync.approving import NotApprovedError  # noqa: PLC0415 - late: only a failure needs it
    from sync.store.store import StoreError  # noqa: PLC0415 - late: only a failure needs it

    return (SecretError, StarterError, ConnectorError, NotApprovedError, StoreError, OSError)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _say(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - the one line a user gets
    return code
