"""What an admin edits, and the typed loader that reads it."""
