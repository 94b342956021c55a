"""The history of the schema, and what runs it."""
