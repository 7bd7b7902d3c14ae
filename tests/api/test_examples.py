"""The examples in the documentation of the Python interface do what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "windtunnel",
        "windtunnel.api.handle",
        "windtunnel.api.tournaments",
        "windtunnel.api.verbs",
        "windtunnel.frames",
    ],
)
def test_the_examples_hold(name):
    module = importlib.import_module(name)
    # The front door gains names while they are looked at: only its own text is read.
    finder = doctest.DocTestFinder(recurse=name != "windtunnel")
    runner = doctest.DocTestRunner()
    for test in finder.find(module, name):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0
