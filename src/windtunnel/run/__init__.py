"""One run: how it begins, is played, forked and replayed. Start reading at `phases.py`."""
