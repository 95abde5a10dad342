"""What insight reads: evidence out of the facts, for releases; pages out of the releases, for everybody."""
