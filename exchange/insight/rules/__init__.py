"""The publication policy as arithmetic: integers in, figures out; no clock, no chance, no database."""
