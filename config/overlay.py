"""One environment's file laid over the others: its keys name files, its values go over theirs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config.problems import Problem, error, nearest
from config.reading import Document, Loc


def overlaid(documents: Mapping[str, Document], overlay: Document) -> tuple[dict[str, Document], list[Problem]]:
    """The documents with the overlay's values over theirs; mappings are merged, all else is replaced.

    What comes from the overlay keeps its place there, so a problem in it points into it.
    """
    problems: list[Problem] = []
    found = dict(documents)
    files = {path.removesuffix(".yaml"): path for path in documents if not path.startswith("models/")}
    if overlay.value is not None and not isinstance(overlay.value, dict):
        problems.append(error(overlay.at(()), "an overlay holds files' names with what to lay over them"))
        return found, problems
    for name, value in (overlay.value or {}).items():
        if name not in files:
            known = "leadmark and connections/NAME can be overlaid"
            problems.append(
                error(overlay.key((name,)), f'there is no file "{name}" to overlay{nearest(name, files)}; {known}')
            )
        elif not isinstance(value, dict):
            problems.append(error(overlay.at((name,)), "keys with values are laid over a file, nothing else"))
        else:
            found[files[name]] = _merged(documents[files[name]], overlay, (name,))
    return found, problems


def _merged(document: Document, overlay: Document, root: Loc) -> Document:
    """The document with what stands under ``root`` in the overlay laid over it."""
    tables = {name: dict(getattr(document, name)) for name in ("keys", "values", "typed")}

    def place(loc: Loc) -> None:
        """Takes over where the overlay's node and all below it stand; forgets the document's."""
        for name, table in tables.items():
            for known in [known for known in table if known[: len(loc)] == loc]:
                del table[known]
            above = (*root, *loc)
            table.update(
                {
                    known[len(root) :]: spot
                    for known, spot in getattr(overlay, name).items()
                    if known[: len(above)] == above
                }
            )

    def merge(below: Any, above: Any, loc: Loc) -> Any:
        if not (isinstance(below, dict) and isinstance(above, dict)):
            place(loc)
            return above
        merged = dict(below)
        for key, value in above.items():
            merged[key] = merge(below.get(key), value, (*loc, key))
        return merged

    return replace(document, value=merge(document.value, overlay.get(root), ()), **tables)
