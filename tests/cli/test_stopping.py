"""Ctrl-C, looked at closely: the first pauses, the second ends."""

from __future__ import annotations

import signal

import pytest

from windtunnel.cli.stopping import Stopper


class Playing:
    run_id = "r"
    stop: str | None = None


def test_the_first_signal_pauses_and_the_second_ends():
    playing = Playing()
    before = signal.getsignal(signal.SIGINT)
    with Stopper() as stopper:
        stopper.watch(playing)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)
        assert playing.stop == "pause"
        assert stopper.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_that_begins_after_the_signal_is_paused_too():
    with Stopper() as stopper:
        signal.raise_signal(signal.SIGINT)
        late = Playing()
        stopper.watch(late)  # type: ignore[arg-type]
    assert late.stop == "pause"


def test_a_cancel_that_is_under_way_stays_a_cancel():
    playing = Playing()
    playing.stop = "cancel"
    with Stopper() as stopper:
        stopper.watch(playing)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)
    assert playing.stop == "cancel"
