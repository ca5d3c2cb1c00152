"""The only code that speaks to a CRM. ``base`` is the interface and the glossary; one package per CRM implements it."""
