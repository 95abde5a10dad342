"""Photos of goods: what may be sent, and what becomes of it."""

from exchange.errors import N_, Invalid, TooLarge

MAX_PHOTOS = 8
MAX_PIXELS = 60_000_000
"""More than any camera in a shop; beyond it a small file could fill the memory."""
SIDE = 1600
THUMBNAIL_SIDE = 400


class NotAPhoto(Invalid):
    message = N_("This file is no photo we can read. Send JPEG, PNG or WebP.")


class PhotoTooLarge(TooLarge):
    message = N_("This photo is too large. Send at most %(limit)s MB and 60 million pixels.")


class EnoughPhotos(Invalid):
    message = N_("A lot has at most %(most)s photos. Remove one first.")
