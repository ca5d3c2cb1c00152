"""What an admin edits, and the typed loader that reads it."""

from config.tables import shipped_tables as shipped_tables
