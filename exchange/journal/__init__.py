"""The journal: who did what to which thing, when. Append-only; the database refuses to change or delete a row."""
