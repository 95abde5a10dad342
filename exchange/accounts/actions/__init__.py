"""Every write about people, by noun: `people`, `passwords`, `sessions`, `tokens`, `mail`."""
