"""The tables of the state store, the same on SQLite and PostgreSQL.

Instants are microseconds since 1970 in UTC (``_at``), dates ISO text (``_on``), mappings JSON text in the form of
``sync.store.values``. What a table is for stands above it; *cache* marks what a full pass can mend from other values.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

metadata = MetaData()

#: a number given by the store; SQLite counts only INTEGER keys by itself
Number = BigInteger().with_variant(Integer, "sqlite")


def number_key(name: str) -> Column[int]:
    """A primary key the store counts up."""
    return Column(name, Number, primary_key=True, autoincrement=True)


#: one value a name: keyed-hash salt, score day and digests of the last marking
meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

#: where each stream goes on, moved in the transaction that stores its page
cursor = Table(
    "cursor",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("asked", Text, nullable=False),  # digest of what the maps asked for; another one begins the stream anew
    Column("moved_at", BigInteger, nullable=False),
)

#: one row per CRM record ever seen: inputs, sales' word, and the three values of each output field
record = Table(
    "record",
    metadata,
    number_key("number"),
    Column("connection", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("crm_id", Text, nullable=False),
    Column("person", BigInteger, index=True),  # the lowest record number of the person; None for companies, owners
    Column("inputs", Text, nullable=False),  # mapped input fields, canonical
    Column("unreadable", Text, nullable=False, server_default="[]"),  # field names dropped as unreadable
    Column("stamp_at", BigInteger, nullable=False),
    Column("created_at", BigInteger),
    Column("state", Text, nullable=False),  # live | converted (read, never written) | merged | deleted
    Column("identify", Boolean, nullable=False, server_default="0"),  # who it is may have changed since the last look
    Column("gone_at", BigInteger),  # when it was found deleted
    Column("word", Text),  # sales' word on this record
    Column("word_at", BigInteger),
    Column("observed", Text, nullable=False, server_default="{}"),
    Column("confirmed", Text, nullable=False, server_default="{}"),
    Column("desired", Text, nullable=False, server_default="{}"),
    Column("sends", Text, nullable=False, server_default="{}"),  # field -> [value, count, first_at]
    Column("receipt_at", BigInteger),  # our clock at the last receipt
    Column("receipt_stamp", BigInteger),  # the CRM's stamp of that write
    Column("echo", Boolean, nullable=False, server_default="0"),  # written, and not read back since
    Column("differs", SmallInteger, nullable=False, server_default="0"),  # cache: 0 equal, 1 held back, 2 due
    Index("record_by_id", "connection", "object", "crm_id", unique=True),
    Index("record_differs", "connection", "differs"),
    Index("record_echo", "connection", "echo", "receipt_at"),
    Index("record_identify", "identify"),
)

#: which records a record points to; a company's change touches its people through this
parent = Table(
    "parent",
    metadata,
    Column("record", BigInteger, ForeignKey("record.number", ondelete="CASCADE"), primary_key=True),
    Column("object", Text, primary_key=True),
    Column("crm_id", Text, nullable=False),
    Index("parent_by_id", "object", "crm_id"),
)

#: every address a record answers to, for streams that name people by address
address = Table(
    "address",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("email", Text, primary_key=True),
    Column("record", BigInteger, ForeignKey("record.number", ondelete="CASCADE"), primary_key=True),
    Index("address_by_record", "record"),
)

#: ids that another record now stands for: merged away or converted; either record may not have been read yet
alias = Table(
    "alias",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("crm_id", Text, primary_key=True),
    Column("into_object", Text, nullable=False),
    Column("into_id", Text, nullable=False),
    Index("alias_by_survivor", "connection", "into_object", "into_id"),
)

#: which records of other connections a record names as the same person
link = Table(
    "link",
    metadata,
    Column("record", BigInteger, ForeignKey("record.number", ondelete="CASCADE"), primary_key=True),
    Column("connection", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("crm_id", Text, nullable=False),
    Index("link_by_id", "connection", "object", "crm_id"),
)

#: one distinct kind of contact: an activity kind and the kept attributes by id; labels are updated in place
touchpoint = Table(
    "touchpoint",
    metadata,
    number_key("number"),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ids", Text, nullable=False),  # attribute -> id, keys sorted
    Column("labels", Text, nullable=False),  # attribute -> label
    Index("touchpoint_by_ids", "connection", "kind", "ids", unique=True),
)

#: a record's activities, packed (``sync.store.timelines``)
timeline = Table(
    "timeline",
    metadata,
    Column("record", BigInteger, ForeignKey("record.number", ondelete="CASCADE"), primary_key=True),
    Column("activities", LargeBinary, nullable=False),
)

#: activities of addresses that no record answers to yet
waiting = Table(
    "waiting",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("email", Text, primary_key=True),
    Column("activities", LargeBinary, nullable=False),
)

#: activities to take off every record but those named; applied by one scan before scoring
displaced = Table(
    "displaced",
    metadata,
    Column("activity", BigInteger, primary_key=True),
    Column("keep", Text, nullable=False),  # record numbers
)

#: a person is the set of records with its number; what marks it for scoring
person = Table(
    "person",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("stale", Boolean, nullable=False),  # cache: inputs changed since the last evaluation
    Column("fresh_at", BigInteger),  # newest of (activity's instant, its change) that arrived since the last evaluation
    Column("fresh", Text, nullable=False, server_default="[]"),  # instants of the activities that arrived since then
    Column("maps_digest", Text, nullable=False, server_default=""),  # field and activity maps at the last evaluation
    Column("write", Text, nullable=False, server_default="all"),  # all | nothing (held) | empty (not to be profiled)
    Index("person_stale", "stale", "number"),
)

#: where a person stands in a model, and the last evaluation
journey = Table(
    "journey",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    Column("journey", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Column("cause", Text, nullable=False),  # of the last transition
    Column("scored_on", Text, nullable=False),
    Column("resting", Boolean, nullable=False, server_default="0"),  # outside the audience since then
    Index("journey_by_score", "model", "score"),
)

#: every change of status, append-only
transition = Table(
    "transition",
    metadata,
    number_key("number"),
    Column("person", BigInteger, nullable=False, index=True),
    Column("model", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("day_on", Text, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("fit", Integer, nullable=False),
    Column("engagement", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("points", Text, nullable=False),
)

#: every field we wrote: old -> new, why, in which pass
history = Table(
    "history",
    metadata,
    number_key("number"),
    Column("at", BigInteger, nullable=False, index=True),
    Column("pass_id", Text, nullable=False, index=True),
    Column("record", BigInteger, nullable=False, index=True),
    Column("field", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

#: what stood in our fields before we first wrote them
adopted = Table(
    "adopted",
    metadata,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: what a CRM would not take; out of the plan while ``payload`` is still what we would send
quarantine = Table(
    "quarantine",
    metadata,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("field", Text, primary_key=True),  # "" = the record as a whole
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("payload", Text, nullable=False),  # digest of the value, mapping and definition refused
    Column("at", BigInteger, nullable=False),
)

#: plans the guard stopped, and who of them may pass
approval = Table(
    "approval",
    metadata,
    Column("code", Text, primary_key=True),
    Column("connection", Text, nullable=False, index=True),
    Column("counts", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of model and field map
    Column("made_at", BigInteger, nullable=False),
    Column("approved_at", BigInteger),
    Column("written_at", BigInteger),
)

#: what was written without approval, for the guard's sum over 24 hours
unapproved = Table(
    "unapproved",
    metadata,
    number_key("number"),
    Column("connection", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("counts", Text, nullable=False),
    Index("unapproved_by_time", "connection", "at"),
)

#: who runs a connection (or scores, named "score"): commits of a pass ask for it
lease = Table(
    "lease",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # grows whenever the owner changes
    Column("until", BigInteger, nullable=False),
)

#: calls made, by the hour, for our own share of the CRM's daily allowance
called = Table(
    "called",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("hour_at", BigInteger, primary_key=True),
    Column("calls", Integer, nullable=False),
)

#: one row a pass, with its report
pass_ = Table(
    "pass",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", BigInteger, nullable=False, index=True),
    Column("ended_at", BigInteger),
    Column("report", Text, nullable=False),
)

#: the text of every model that ran, by digest
model_text = Table(
    "model_text",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
)
