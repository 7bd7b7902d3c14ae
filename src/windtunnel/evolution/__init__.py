"""Evolution: better strategies by trying, and proof that they are better.

An evolution is a run whose turns are generations and whose matches are others beside it. Room by room:
`reading` makes a plan of a file; `operators` and `reflection` make children, `selection` says who has them;
`trials` are the matches and what they come to; `engine` is the run; `gate` judges the winner on luck that was
sealed before anything was played; `running` plays it and proposes what came of it.
"""
