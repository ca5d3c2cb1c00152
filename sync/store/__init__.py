"""The state store: tables, migrations, and the few functions that read and write them."""
