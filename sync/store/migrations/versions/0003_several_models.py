"""Several models: journeys that rest outside an audience, and what may be written of a person."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journey", sa.Column("resting", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("person", sa.Column("write", sa.Text(), server_default="all", nullable=False))
    # who was not to be profiled had no journey and stays so until the next full pass says it anew
    op.execute("UPDATE person SET stale = '1'")
