"""Turns lists as other tools write them into the one form that a campaign reads, by a profile of the export.

`profile` is the document, `sources` reads files, `cells` reads cells, `parts` writes, `run` puts them together.
"""
