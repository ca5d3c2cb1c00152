"""One environment's file laid over the others: its keys name files, its values go over theirs."""

from collections.abc import Mapping
from typing import Any

from config.files import INSTALLATION
from config.problems import Problem, error, nearest
from config.reading import Document, Loc


def overlaid(documents: Mapping[str, Document], overlay: Document) -> tuple[dict[str, Document], list[Problem]]:
    """The documents with the overlay's values over theirs; mappings are merged, all else is replaced.

    What comes from the overlay keeps its place there, so a problem in it points into it.
    """
    problems: list[Problem] = []
    found = dict(documents)
    files = {
        path.removesuffix(".yaml"): path
        for path in documents
        if path == INSTALLATION or path.startswith("connections/")
    }
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
    nodes = dict(document.nodes)

    def merge(below: Any, above: Any, loc: Loc) -> Any:
        if isinstance(below, dict) and isinstance(above, dict):
            return below | {key: merge(below.get(key), value, (*loc, key)) for key, value in above.items()}
        for known in [known for known in nodes if known[: len(loc)] == loc]:
            del nodes[known]
        there = (*root, *loc)
        nodes.update({known[len(root) :]: n for known, n in overlay.nodes.items() if known[: len(there)] == there})
        return above

    value = merge(document.value, overlay.get(root), ())
    return Document(path=document.path, value=value, nodes=nodes)
