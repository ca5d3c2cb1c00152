"""Secrets by reference: the config names where one is, and it is read at the moment it is used.

Messages name the reference, never the content.
"""

import os
from pathlib import Path


class SecretError(Exception):
    """A reference leads to nothing; the message says which and what to do."""


def resolve(reference: str) -> str:
    """The secret behind ``env:NAME`` or ``file:/path``, without outer white space; any other text as it is.

    Raises SecretError when there is none or it is empty.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        content = os.environ.get(name, "").strip()
        if not content:
            raise SecretError(f"{reference}: the environment variable is not set or empty; set {name}")
        return content
    if kind == "file":
        try:
            content = Path(name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise SecretError(f"{reference}: there is no such file; mount the secret there") from None
        except (OSError, UnicodeDecodeError) as failure:
            why = "its content is not text" if isinstance(failure, UnicodeDecodeError) else failure.strerror
            raise SecretError(f"{reference}: the file cannot be read ({why}); check path and rights") from None
        if not content:
            raise SecretError(f"{reference}: the file is empty; put the secret into it")
        return content
    return reference
