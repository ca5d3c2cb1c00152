"""What must hold between the files of a config folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.condition_checks import check_segments, check_sense
from config.connection_checks import check_connections
from config.model_checks import check_conditions, check_holes, check_model, check_recycle, check_spans, delivered_by
from config.problems import Problem, listed, unknown
from config.reach_checks import check_reach
from config.reading import Document
from config.together_checks import check_links, check_order
from scoring.model import ScoringModel


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The documents of one config folder by name, as far as they are readable."""

    installation: Document | None
    connections: Mapping[str, Document]
    models: Mapping[str, Document]
    #: the models as they are understood, those without a mistake of their own
    sound: Mapping[str, ScoringModel]
    #: names of all model and list files, the unreadable too
    model_names: frozenset[str]
    list_names: frozenset[str]
    #: every connection file is readable, so what is not found in them is nowhere
    complete: bool


def check(folder: Folder) -> Iterator[Problem]:
    """Everything that does not fit together in the folder; each Problem stands at the place to mend."""
    connections = tuple(folder.connections.values())
    delivered = delivered_by(connections) if folder.complete else None
    yield from _primary(folder)
    yield from check_connections(connections, folder.model_names)
    if folder.complete:
        yield from check_links(folder.connections)
    if folder.installation and folder.complete:
        yield from check_order(folder.installation, folder.connections)
    for document in (*connections, *folder.models.values()):
        yield from check_sense(document)
    if folder.installation:
        yield from check_sense(folder.installation)
        yield from check_conditions(folder.installation, delivered, folder.list_names)
        yield from check_segments(folder.installation)
    for connection in connections:
        yield from check_conditions(connection, delivered, folder.list_names)
    for name, model in folder.models.items():
        yield from check_model(model, name, delivered, folder.list_names)
        yield from check_spans(model, folder.installation)
        yield from check_holes(model)
        if name in folder.sound:
            yield from check_recycle(model, folder.sound[name])
            yield from check_reach(model, folder.sound[name])


def _primary(folder: Folder) -> Iterator[Problem]:
    primary = folder.installation.get(("primary",)) if folder.installation else None
    if folder.installation and isinstance(primary, str) and primary not in folder.model_names:
        advice = f"models here: {listed(sorted(folder.model_names)) or 'none'}"
        yield unknown(folder.installation.at(("primary",)), "there is no model", primary, folder.model_names, advice)
