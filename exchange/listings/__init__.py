"""What there is to sell: stock lists read, lots published, browsed and searched, quantity reserved.

Words: a *stock list* is the file a merchant drops here as the till or the ERP exported it; a *lot* is what is sold; its
*manifest* has one *line* per article. Promises: identifiers stay text from end to end; no row of a list is lost without
a reason said in words; reserved + sold never exceeds listed, for the lot and for each line; a rival never learns who
lists a lot, and a company hidden from cannot tell that it is.
"""
