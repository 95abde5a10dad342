"""Every write of listings, by noun: reservations, lots, stock lists, photos."""
