"""The examples in the documentation of the Python interface do what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name", ["windtunnel", "windtunnel.api.handle", "windtunnel.api.verbs", "windtunnel.frames"]
)
def test_the_examples_hold(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
