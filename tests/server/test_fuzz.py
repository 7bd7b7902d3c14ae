"""Schemathesis, which nobody here wrote, knocks at the whole API: no 5xx, no answer that is not described.

It sends what fits the description and what does not, over methods that are there and that are not, with and
without a key; it holds status, media type and body of each answer against /openapi.json. What it sends is
the same each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.server.fuzzed import Fuzzed, fuzzed

# Each of these answers in milliseconds, and together they have every kind of parameter and body there is.
QUICK = ("list_simulations", "get_entries", "approve", "add_schedule", "create_key", "send_event")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with fuzzed(tmp_path_factory.mktemp("fuzzed")) as made:
        yield made


def check(server: Fuzzed, *words: str, seconds: float) -> None:
    done = server.knock(*words, seconds=seconds)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout
    log = [json.loads(line) for line in server.server.log().splitlines()[1:]]
    assert not [line for line in log if line["level"] == "error"]


@pytest.mark.slow
def test_every_operation_answers_its_examples_as_described(server: Fuzzed) -> None:
    check(server, "--phases", "examples", "--no-shrink", seconds=200)


@pytest.mark.slow
def test_what_is_at_the_edge_of_the_description_and_beyond_is_answered_as_described(server: Fuzzed) -> None:
    chosen = [word for name in QUICK for word in ("--include-operation-id", name)]
    check(server, "--phases", "coverage", "--no-shrink", *chosen, seconds=250)


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_nothing_that_can_be_sent_breaks_the_whole_api(server: Fuzzed) -> None:
    check(server, "--phases", "examples,coverage,fuzzing", "-n", "60", seconds=2900)


@pytest.mark.soak
@pytest.mark.timeout(1000)
def test_sequences_of_requests_are_answered_as_described(server: Fuzzed) -> None:
    check(server, "--phases", "stateful", "-n", "30", seconds=900)
