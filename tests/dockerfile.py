"""A Dockerfile as its stages and instructions, and a builder that runs them in folders instead of an engine.

What the builder cannot do, it does not pretend: the base image is this machine, and the commands that need root
(``useradd``, ``chown``) are stand-ins that note how they were called.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: what runs without root's rights: no capability is left, so that files obey their modes
PLAIN = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs") if os.geteuid() == 0 else ()
#: places that a command may name; in a stage's folder instead of the machine's
_PLACES = ("/opt/", "/build", "/data", "/etc/leadmark")
_NEED_ROOT = ("useradd", "chown")


@dataclass(frozen=True)
class Instruction:
    """One instruction; its flags are apart from what follows."""

    word: str
    flags: Mapping[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """Of the exec form its items, else words as a shell splits them."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


@dataclass(frozen=True)
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        return [one for one in self.instructions if one.word == word]

    def only(self, word: str) -> Instruction:
        (one,) = self.all(word)
        return one

    @property
    def environment(self) -> dict[str, str]:
        """What its ENV instructions set."""
        pairs = [word.split("=", 1) for one in self.all("ENV") for word in one.words]
        return dict(pairs)


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in order."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.strip().partition(" ")
        flags: dict[str, str] = {}
        while flag := re.match(r"\s*--([\w-]+)=(\S+)\s+", rest):
            flags[flag[1]] = flag[2]
            rest = rest[flag.end() :]
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base.strip(), name.strip()))
        else:
            assert re.fullmatch("[A-Z]+", word), line
            found[-1].instructions.append(Instruction(word, flags, rest.strip()))
    return found


def let_in(ignore: str, root: Path) -> Iterator[Path]:
    """The files below the root that a .dockerignore lets into a build, relative to it; the last line that fits wins."""
    lines = [line.strip() for line in ignore.splitlines() if line.strip() and not line.startswith("#")]
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(folder, name).relative_to(root)
            ways = [str(path), *map(str, path.parents)]
            out = False
            for line in lines:
                pattern = line.removeprefix("!")
                inner = pattern.removeprefix("**/")
                if pattern != inner:
                    fits = any(fnmatch.fnmatch(part, inner) for part in path.parts)
                else:
                    fits = any("/" not in way and fnmatch.fnmatch(way, pattern) for way in ways)
                out = not line.startswith("!") if fits else out
            if out:
                if name in names:
                    names.remove(name)
            elif name in files:
                yield path


@dataclass
class Builder:
    """Runs stages below a folder: the current one at ``root``, finished ones beside it under their names."""

    place: Path
    #: command lines that need root, as they were called
    noted: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Where the current stage's ``/`` is: the same for each, as paths are built into an environment."""
        return self.place / "root"

    def build(self, context: Path, found: list[Stage]) -> None:
        """Builds all stages; the last one's tree is at ``root``."""
        files = sorted(let_in((context / ".dockerignore").read_text(encoding="utf-8"), context))
        for number, stage in enumerate(found):
            if number:
                self.root.rename(self.place / found[number - 1].name)
            self.root.mkdir()
            self._stage(stage, context, files)

    def inside(self, text: str) -> str:
        """The text with the image's places moved into the stage's folder."""
        return re.sub(rf"(?<![\w./-])({'|'.join(map(re.escape, _PLACES))})", rf"{self.root}\1", text)

    def variables(self, stage: Stage) -> dict[str, str]:
        """The environment of a process in the stage: its own ENV, what the machine says of pip, and no more."""
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        path = self.inside(stage.environment.get("PATH", "/usr/local/bin:/usr/bin:/bin"))
        mine = {"HOME": str(self.place / "home"), "PATH": path.replace("/usr/local/bin", str(self.place / "tools"))}
        return pip | stage.environment | mine

    def _stage(self, stage: Stage, context: Path, files: list[Path]) -> None:
        here = self.root
        self._tools()
        for one in stage.instructions:
            if one.word == "WORKDIR":
                here = self.root / one.rest.lstrip("/")
                here.mkdir(parents=True, exist_ok=True)
            elif one.word == "COPY":
                self._copy(one, context, files, here)
            elif one.word == "RUN":
                done = subprocess.run(
                    [*PLAIN, "/bin/sh", "-ec", self.inside(one.rest)],
                    cwd=here, env=self.variables(stage), check=False, capture_output=True, text=True,
                )  # fmt: skip
                assert done.returncode == 0, (one.rest, done.stdout[-2000:], done.stderr[-2000:])
        noted = self.place / "noted"
        if noted.exists():
            self.noted = noted.read_text(encoding="utf-8").replace(str(self.root), "").splitlines()

    def _copy(self, one: Instruction, context: Path, files: list[Path], here: Path) -> None:
        *sources, target = one.words
        into = self.root / target.lstrip("/") if target.startswith("/") else here / target
        for source in sources:
            if "from" in one.flags:
                into.parent.mkdir(parents=True, exist_ok=True)  # moved, not copied: thousands of files
                (self.place / one.flags["from"] / source.lstrip("/")).rename(into)
                continue
            chosen = [file for file in files if file == Path(source) or Path(source) in file.parents]
            assert chosen, f"COPY {source}: .dockerignore lets nothing of it in"
            for file in chosen:
                to = into / file.relative_to(source) if file != Path(source) else into / file.name
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(context / file, to)

    def _tools(self) -> None:
        """The base image's /usr/local/bin: this Python, and the stand-ins."""
        tools = self.place / "tools"
        if tools.exists():
            return
        (self.place / "home").mkdir()
        tools.mkdir()
        base = getattr(sys, "_base_executable", sys.executable)
        (tools / "python").symlink_to(base)
        for name in _NEED_ROOT:
            tool = tools / name
            tool.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.place / "noted"}"\n', encoding="utf-8")
            tool.chmod(0o755)
