"""Exit codes, and the error that carries one to the shell."""

#: everything as asked; for ``plan``: nothing to write; for ``status``: fine
OK = 0
FAILED = 1
#: ``plan`` only: there is something to write
CHANGES = 2
#: stopped until somebody says yes: the guard, or an empty store before filled fields
APPROVAL = 3
#: done in part: a connection is parked, a quota spent, a value refused
PARTLY = 4
#: the command was typed wrongly
USAGE = 64
#: Ctrl-C, as shells count it
INTERRUPTED = 130


class CommandError(Exception):
    """What a user can mend; the message is the whole answer on stderr."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        """``code`` is what the shell gets."""
        super().__init__(message)
        self.code = code
