"""What may go wrong with a CRM, named by the caller's next step. Translated once, at the HTTP edge.

A message says what, which call, and what to do. It never holds a token, a name or an address.
"""

from datetime import datetime


class ConnectorError(Exception):
    """Something went wrong at the CRM."""


class Retriable(ConnectorError):
    """The same call may go through later: throttled, locked, timed out, or the server stumbled."""

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        """``after_s``: seconds the CRM asked to wait; None when it did not say."""
        super().__init__(message)
        self.after_s = after_s


class QuotaSpent(ConnectorError):
    """The daily allowance is used up: park the connection until then, keep its cursors."""

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        """``until``: when the allowance returns, if known."""
        super().__init__(message)
        self.until = until


class Refused(ConnectorError):
    """The CRM refused this call's content; sending the same again cannot help."""

    def __init__(self, message: str, *, code: str, field: str = "", status: int = 400) -> None:
        """``code`` is the CRM's own; ``field`` the one it blames, "" if none."""
        super().__init__(message)
        self.code = code
        self.field = field
        self.status = status


class BatchTooHeavy(Refused):
    """The refusal blames the batch, not a record (a flow or CPU limit): send fewer at once."""


class Fatal(ConnectorError):
    """This connection cannot go on until somebody mends its set-up: credentials, rights, account, a lost field."""


class Missing(Fatal):
    """One source of activities that the settings name is not there; the others can still be read."""
