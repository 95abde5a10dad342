"""Confrère: the exchange where rival businesses clear surplus stock together.

Five ideas carry everything: *domain* (a folder), *rules* (what is true, pure), *action* (what may happen, one
transaction), *door* (page, API, webhook, command: how the world asks) and *job* (an action, later).
"""

__version__ = "0.1.0"
