"""What can be typed: every command with its arguments. Each hands over to the module that does the work.

Those modules are imported inside the commands, so that ``leadmark --help`` answers at once.
"""

from sync.cli.commands import begin, changing, golden, handbook, looking, operate, people, quarantine
from sync.cli.commands.typed import app

__all__ = ["app", "begin", "changing", "golden", "handbook", "looking", "operate", "people", "quarantine"]
