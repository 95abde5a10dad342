"""What a market of rivals may learn about itself: quarterly figures, frozen, in which no company can be found.

Words: a *fact* is one settled trade, closed offer or closed listing; a *cell* is one node of the tree in one quarter;
a *set* is a family of figures that is published or withheld together; an *atom* is a published cell less its published
children; a *release* is a quarter's cells, frozen. Groups are legal groups, never accounts.

Promises: pages and the API read releases only; a release is never changed, at most a cell is withdrawn; no figure and
no difference of figures lets one or two members bound another's volume closer than the policy allows; there is one text
for every reason a figure is missing. Source: the insight guide, whose sections the docstrings name.
"""
