"""Whether a connection is what the settings say, and the CRM's field definitions as they were last read."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection

from config.parts import FLAGS
from config.settings import Connection as ConnectionSettings
from connectors.base import Account, FieldDefinition
from connectors.errors import Fatal
from sync.mapping import OUTCOME, ConnectionMap
from sync.store.store import get_meta, set_meta
from sync.store.values import dump, load

#: whose fields say what became of it; the records are of OUTCOME
DEAL = "deal"

Definitions = Mapping[str, Mapping[str, FieldDefinition]]


def check_account(account: Account, settings: ConnectionSettings) -> None:
    """Raises Fatal unless the credentials reach the account, and the kind of account, that the settings name."""
    word, wanted = ("portal", settings.portal) if settings.crm == "hubspot" else ("org", settings.org)
    if (account.id, account.production) != (wanted.id, wanted.production):
        kind, ours = ("production" if which else "test" for which in (account.production, wanted.production))
        raise Fatal(
            f"the credentials reach {word} {account.id} ({kind}), connections/{settings.name}.yaml names {wanted.id} "
            f"({ours}); nothing is read or written until both agree"
        )


def check_store(tx: Connection, account: Account, connection: str) -> None:
    """Raises Fatal when the store holds the records of another account under this connection's name."""
    name = f"account:{connection}"
    known = get_meta(tx, name)
    if known is None:
        set_meta(tx, name, account.id)
    elif known != account.id:
        raise Fatal(
            f"the store holds the records of account {known}, the credentials reach {account.id}; give this config a "
            "store of its own (store: in leadmark.yaml)"
        )


def check_fields(definitions: Definitions, map_: ConnectionMap, before: Definitions) -> None:
    """Raises Fatal when a mapped field is gone or hidden, or one of ours cannot be written.

    A lost input would read as empty for everybody, so nobody is rescored on its absence. An optional one may be missing
    from the beginning, but not once it was there: ``before`` are the definitions as they were last read.
    """
    asked = {(object_, name) for object_, names in map_.inputs.items() if object_ != OUTCOME for name in names}
    asked |= {(object_, name) for object_ in map_.people for name in map_.links.values()}
    missing = [
        f"{object_}.{name}"
        for object_, name in sorted(asked)
        if name not in definitions.get(object_, {})
        and (name not in map_.optional.get(object_, ()) or name in before.get(object_, {}))
    ]
    if missing:
        raise Fatal(
            f"mapped fields are gone or hidden: {', '.join(missing)}; restore them or change connections/"
            f"{map_.connection}.yaml. Nobody is rescored on their absence"
        )
    _check_flags(definitions, map_)
    for object_ in sorted(map_.people):
        known = definitions.get(object_, {})
        lost = [name for name in map_.outputs if name not in known]
        if lost:
            raise Fatal(
                f"our fields do not exist on {object_}: {', '.join(lost)}; create them, or shorten write.fields"
            )
        locked = [name for name in map_.outputs if not known[name].writable]
        if locked:
            raise Fatal(f"our fields are read-only on {object_}: {', '.join(locked)}; the CRM takes no value for them")


def _check_flags(definitions: Definitions, map_: ConnectionMap) -> None:
    """Raises Fatal where a fact that stops writing or scoring is read from a field that is neither true nor false."""
    for fact in sorted(FLAGS & map_.facts.keys()):
        for column in map_.facts[fact].reads:
            known = definitions.get(column.of, {}).get(column.field)
            if known is not None and known.type != "bool":
                raise Fatal(
                    f"{column.of}.{column.field} is of type {known.type}, and {fact} is either true or false: map a "
                    f"checkbox to {fact} in connections/{map_.connection}.yaml. Nobody is scored on a guess"
                )


def read_otherwise(definitions: Definitions, map_: ConnectionMap, before: Definitions) -> frozenset[str]:
    """The objects of which a mapped field is of another type than before: what is kept of them is of the old one.

    Of a deal its outcome is kept.
    """
    return frozenset(
        OUTCOME if object_ == DEAL else object_
        for object_, names in map_.inputs.items()
        for name in names
        if (was := before.get(object_, {}).get(name)) is not None
        and (now := definitions.get(object_, {}).get(name)) is not None
        and was.type != now.type
    )


def keep_definitions(tx: Connection, connection: str, definitions: Definitions) -> None:
    """Keeps object -> field name -> definition, for passes that do not reach the CRM."""
    text = dump({object_: {name: asdict(one) for name, one in of.items()} for object_, of in definitions.items()})
    set_meta(tx, _name(connection), text)


def kept_definitions(tx: Connection, connection: str) -> Definitions:
    """What was kept last; empty when the connection was never read."""
    text = get_meta(tx, _name(connection)) or "{}"
    return {
        object_: {name: FieldDefinition(**{**one, "options": tuple(one["options"])}) for name, one in of.items()}
        for object_, of in load(text).items()
    }


def _name(connection: str) -> str:
    return f"definitions:{connection}"
