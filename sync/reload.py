"""The config of a running worker: looked at before each pass, and taken over when it changed and is good.

A bad one changes nothing but what is said about it: the last good one goes on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import structlog
from sqlalchemy import Connection, delete

from config.files import look, read_text
from config.loader import load
from config.secrets import SecretError
from config.settings import Settings
from connectors.errors import ConnectorError
from connectors.masking import without_addresses
from sync.runtime import Runtime
from sync.store import tables
from sync.store.store import StoreError, get_meta, set_meta

log = structlog.get_logger()

#: the meta value of what is wrong with the config, while the last good one runs
CONFIG_PROBLEM = "config_problem"
#: what keeps good settings from being used
UNUSABLE = (SecretError, ConnectorError, StoreError, OSError)


@dataclass(kw_only=True)
class Watched:
    """A config folder with its overlay, and the settings that were last good."""

    folder: Path
    overlay: Path | None
    settings: Settings
    #: what is wrong with the folder as it is now; empty = nothing
    problems: tuple[str, ...] = ()
    _digest: str = field(init=False)

    def __post_init__(self) -> None:
        """``settings`` were loaded just now."""
        self._digest = digest(self.folder, self.overlay)

    def look(self) -> bool:
        """Whether any file changed since the last look; if so, ``settings`` or ``problems`` are new."""
        now = digest(self.folder, self.overlay)
        if now == self._digest:
            return False
        self._digest = now
        settings, problems = load(self.folder, self.overlay)
        self.problems = tuple(str(problem) for problem in problems if problem.severity == "error")
        if settings is not None:
            self.settings = settings
        return True


def digest(folder: Path, overlay: Path | None) -> str:
    """Of the contents of every file that is read; another one when any of them changed."""
    hashed = blake2b(digest_size=16)
    texts = dict(look(folder).texts)
    if overlay is not None:
        texts["overlay"] = read_text(overlay, overlay.name)[0]
    for path, text in sorted(texts.items()):
        hashed.update(repr((path, text)).encode())
    return hashed.hexdigest()


@dataclass(kw_only=True)
class Current:
    """The runtime in use, which follows the config. ``begin`` opens it, ``close`` closes it."""

    config: Watched
    open: Callable[[Settings], AbstractContextManager[Runtime]]
    #: what keeps the config from being used; "" = it is in use
    problem: str = ""
    _runtime: Runtime | None = None
    _opened: ExitStack = field(default_factory=ExitStack)
    #: the settings that are open
    _settings: Settings | None = None
    #: the problem as the store has it; None = not known
    _kept: str | None = None

    @property
    def runtime(self) -> Runtime:
        """The runtime in use."""
        assert self._runtime is not None, "begin() comes first"
        return self._runtime

    def begin(self) -> None:
        """Opens the settings; raises what ``open`` raises."""
        with ExitStack() as opening:
            runtime = opening.enter_context(self.open(self.config.settings))
            self._opened.close()
            self._runtime, self._opened, self._settings = runtime, opening.pop_all(), self.config.settings
        self._kept = None

    def close(self) -> None:
        """Closes what is open."""
        self._opened.close()

    def follow(self) -> None:
        """Takes over the config when it changed and can be used; says why not, once, when it cannot.

        Raises StoreError when the store in use fails.
        """
        changed, before = self.config.look(), self.problem
        self.problem = "\n".join(self.config.problems)
        if not self.problem and self._settings is not self.config.settings:
            try:
                self.begin()
                log.info("the config changed and is taken over")
            except UNUSABLE as error:
                self.problem = str(error)
        if self.problem and (changed or self.problem != before):
            for line in self.problem.splitlines():
                log.error("the config cannot be used, the last good one goes on", problem=without_addresses(line))
        if self.problem != self._kept:
            with self.runtime.store.begin() as tx:
                keep_problem(tx, self.problem)
            self._kept = self.problem


def keep_problem(tx: Connection, problem: str) -> None:
    """Keeps for ``status`` what is wrong with the config; "" = nothing any more."""
    if problem:
        set_meta(tx, CONFIG_PROBLEM, problem)
    else:
        tx.execute(delete(tables.meta).where(tables.meta.c.name == CONFIG_PROBLEM))


def kept_problem(tx: Connection) -> str:
    """What is wrong with the config while a worker goes on with the last good one; "" = nothing."""
    return get_meta(tx, CONFIG_PROBLEM) or ""
