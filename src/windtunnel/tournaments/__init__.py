"""Tournaments: strategies against each other, and what that says of them.

A tournament is a run, each of its matches another beside it, in one store. Room by room: `reading` makes a
Field of a file; `formats` says who meets whom; `draw` makes matches of that; `engine` is the run whose turns
are rounds; `hands` and `hand` play matches in processes of their own, by `playing`; `scoring` and `rating`
make numbers of them, and `standings` a table.
"""
