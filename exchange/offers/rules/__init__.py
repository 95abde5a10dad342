"""The fourteen rules of a negotiation (guide/domain.md §6), pure: ``terms`` of the lot, ``talks`` and their moves."""
