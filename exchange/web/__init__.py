"""What every page and API answer shares: rendering, guards, refusals, translations, live streams. No business words."""
