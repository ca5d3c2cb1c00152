"""How Salesforce says no: a list with one error for a whole request, a row's errors inside a collection."""

from collections.abc import Sequence
from typing import Any

from connectors.emulator.wire import Refusal


class Refused(Refusal):
    """A refusal with Salesforce's code; of a request, or of one row of it."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Sequence[str] = ()) -> None:
        """``fields`` are those the refusal blames."""
        super().__init__(status, code, message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.body: list[dict[str, Any]] = [{"message": message, "errorCode": code}]
        if self.fields:
            self.body[0]["fields"] = self.fields

    def of_row(self) -> dict[str, Any]:
        """The error as a collection shows it at a row."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


def not_there(message: str = "The requested resource does not exist") -> Refused:
    """A 404 NOT_FOUND."""
    return Refused("NOT_FOUND", message, status=404)


def no_column(name: str, object_: str) -> Refused:
    """What is said of a field that is not there or hidden, on a write."""
    return Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_}")
