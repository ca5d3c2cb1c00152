"""Persons across connections: aliases by id, links, leases, calls by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "called",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "hour_at"),
    )
    op.create_table(
        "lease",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.create_table(
        "link",
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("crm_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["record.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record", "connection", "object"),
    )
    op.add_column("person", sa.Column("fresh", sa.Text(), server_default="[]", nullable=False))
    op.create_index("link_by_id", "link", ["connection", "object", "crm_id"])
    op.add_column("record", sa.Column("identify", sa.Boolean(), server_default="0", nullable=False))
    op.create_index("record_identify", "record", ["identify"])
    op.execute("UPDATE record SET identify = '1' WHERE person IS NOT NULL")
    # an alias names what it stands for by id, as that may not have been read yet
    op.create_table(
        "alias_new",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("crm_id", sa.Text(), nullable=False),
        sa.Column("into_object", sa.Text(), nullable=False),
        sa.Column("into_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "object", "crm_id"),
    )
    op.execute(
        "INSERT INTO alias_new SELECT alias.connection, alias.object, alias.crm_id, record.object, record.crm_id "
        "FROM alias JOIN record ON record.number = alias.record"
    )
    op.drop_table("alias")
    op.rename_table("alias_new", "alias")
    op.create_index("alias_by_survivor", "alias", ["connection", "into_object", "into_id"])
    # a record's id says what it is, so what waits for one is named without its object
    op.execute("UPDATE waiting SET email = '#' || substr(email, 10) WHERE email LIKE '#contact:%'")
