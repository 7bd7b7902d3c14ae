"""`answer`: at a terminal, for scripts, and with an answer that is given."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
import pytest
import typer

from tests.cli.conftest import environment
from windtunnel.cli import answering, prompting
from windtunnel.control.questions import Question
from windtunnel.control.verbs import Asked
from windtunnel.world import Action

PATIENCE = 100.0
TEAM = "agents.ana.settings={team: {pattern: sequential, members: [{name: boss, kind: human}]}}"


@pytest.fixture
def asking(wt, lake) -> str:
    """A run of two turns that waits for ana."""
    run: str = wt("run", lake, "--turns", 2, "--agent", "ana=human", "--json").data["run_id"]
    return run


@pytest.fixture
def typed(monkeypatch) -> Any:
    """A person at the terminal who types these lines, and what was prompted."""

    def sit(*lines: str) -> list[str]:
        left: Iterator[str] = iter(lines)
        prompts: list[str] = []

        def read(prompt: str = "") -> str:
            prompts.append(prompt)
            for line in left:
                return line
            raise EOFError

        monkeypatch.setattr("builtins.input", read)
        monkeypatch.setattr(prompting, "on_terminal", lambda: True)
        return prompts

    return sit


def at_terminal(words: Sequence[str], talk: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """A command at a real terminal: each time a prompt appears, something is typed."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "windtunnel", *words],
        stdin=inner, stdout=inner, stderr=inner, env=environment(TERM="xterm"),
    )  # fmt: skip
    os.close(inner)
    said, seen = "", 0
    waits = iter([*talk, ("", "")])
    prompt, line = next(waits)
    until = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            if not select.select([outer], [], [], 1.0)[0]:
                continue
            try:
                part = os.read(outer, 4096)
            except OSError:  # what a terminal says when nobody holds its other end
                break
            if not part:
                break
            said += part.decode(errors="replace")
            if prompt and prompt in said[seen:]:
                seen = said.index(prompt, seen) + len(prompt)
                os.write(outer, f"{line}\n".encode())
                prompt, line = next(waits)
        return process.wait(timeout=PATIENCE), said.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(outer)


@pytest.mark.slow
def test_a_person_plays_a_run_to_its_end_at_a_terminal(wt, asking):
    code, said = at_terminal(
        ["answer", asking],
        [
            ("amount", "much"),
            ("must be a number", "-1"),
            ("must be at least 0", "7"),
            ("Catch(amount 7)? [Y/n]", ""),
            ("go on now?", ""),
            ("amount", ""),
            ("Catch(amount 0)? [Y/n]", "y"),
            ("go on now?", "y"),
        ],
    )
    assert code == 0, said
    assert "fish: 500" in said
    assert "completed" in said
    assert wt("show", asking, "--json").data["metrics"]["ana"]["wealth"] == 14
    assert "answer: Catch(amount 7)" in wt("show", asking, "--turn", 1).out


def test_a_person_who_leaves_has_posted_nothing(wt, asking, typed):
    typed("7")
    assert wt("answer", asking).code == 130
    typed("8", "y", "n")
    said = wt("answer", asking)
    assert said.code == 0
    assert f"windtunnel resume {asking}" in said.out
    assert "answered already" in wt("answer", asking).err
    assert wt("resume", asking, "--json").data["metrics"]["ana"]["wealth"] == 16


def test_a_rejected_answer_is_shown_with_its_reason(wt, lake, typed):
    run = wt("run", lake, "--turns", 1, "--agent", "ana=human", "--json").data["run_id"]
    typed("1e9", "y", "y", "3", "y", "y")
    said = wt("answer", run)
    assert said.code == 0
    assert said.out.count("ana (fisher)") == 2
    assert "Your last answer was not taken" in said.out


def test_a_script_is_told_the_question_with_the_schema_of_an_answer(wt, asking):
    (question,) = wt("answer", asking, "--json").rows
    assert question["effect"] == "1.plan.ana.0"
    assert question["request"]["observation"]["fish"] == 500
    assert question["no_op"] == {"type": "Catch", "amount": 0}
    assert question["schema"]["properties"]["amount"] == {"type": "number", "minimum": 0}
    assert (question["role"], question["way"]) == ("fisher", "action")


def test_without_a_terminal_the_next_thing_to_type_is_said(wt, asking):
    said = wt("answer", asking)
    assert said.code == 2
    assert f"windtunnel answer {asking} 1.plan.ana.0 JSON" in said.err


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"type": "Cach"}', "'Cach' is no action of ana"),
        ('{"type": "Catch", "amount": -1}', "this is no Catch"),
        ('{"type": "Catch", "amount": 1, "tip": 2}', "this is no Catch"),
        ('{"type": "Catch"', "this is not JSON"),
        ("seven", "an action is an object with a type"),
    ],
)
def test_a_slip_is_told_before_anything_is_posted(wt, asking, answer, why):
    said = wt("answer", asking, answer, "--json")
    assert said.code == 2
    assert why in said.error["message"]
    assert len(wt("answer", asking, "--json").rows) == 1


def test_a_member_of_a_team_speaks_in_words(wt, lake, typed):
    team = ("--set", "agents.ana.kind=team", "--set", TEAM, "--model", "house")
    run = wt("run", lake, "--turns", 1, *team, "--json").data["run_id"]
    typed('{"why": "so", "action": {"type": "Catch", \\', '"amount": 5}}', "y")
    said = wt("answer", run)
    assert said.code == 0, said.err
    assert wt("show", run, "--json").data["metrics"]["ana"]["wealth"] == 10


# --- the pieces ---


def question(way: Any, request: Any, kind: str = "ask") -> Question:
    return Question(Asked("run", "1.plan.ana.0", kind, "ana", 1, "", 0.0, request), way)


@pytest.mark.parametrize(
    ("asked", "lines", "answer"),
    [
        (question("approve", {"approve": {"tool": "pay"}}), ("y",), {"approve": True}),
        (
            question("approve", {"approve": {}}),
            ("", "n", "too dear"),
            {"approve": False, "reason": "too dear"},
        ),
        (question("approve", {"approve": {}}), ("no", ""), {"approve": False}),
        (question("look", {"decide": {"pass": "", "again": ""}}), ("1",), "pass"),
        (
            question("look", {"decide": {"pass": "", "again": ""}}),
            ("ag", "", "shorter"),
            {"again": "shorter"},
        ),
        (question("text", {"conversation": []}), ("one\\", "two"), "one\ntwo"),
        (question("doubt", {"tool": "pay"}, "tool"), ('{"paid": true}',), {"paid": True}),
        (question("other", {"rate": "?"}, "quote"), ("none today",), "none today"),
    ],
)
def test_each_kind_of_question_is_answered_in_its_own_form(typed, asked, lines, answer):
    prompts = typed(*lines)
    assert answering._composed(asked) == answer
    assert len(prompts) == len(lines)


class Order(Action, frozen=True):
    """Buys or sells."""

    side: Literal["buy", "sell"]
    count: Annotated[int, msgspec.Meta(ge=1)]
    limit: float | None = None
    firm: bool = False
    note: str = "none"
    by_city: dict[str, float] = msgspec.field(default_factory=dict)


class Rest(Action, frozen=True):
    pass


def test_an_action_is_asked_by_its_fields_with_their_defaults(typed, capsys):
    prompts = typed("bye", "buy", "0", "2.5", "3", "", "y", "a: b", "{paris: 1, rome: 2}")
    made = prompting.action(Order)
    assert made == Order("buy", 3, None, True, "a: b", {"paris": 1.0, "rome": 2.0})
    told = capsys.readouterr().out
    assert "must be at least 1, not 0" in told
    assert "'bye'" in told
    assert "one of buy, sell" in prompts[0]
    assert "number or nothing [null]" in prompts[5]


def test_enter_is_the_no_op_and_an_action_is_found_by_number_name_or_beginning(typed):
    asked = msgspec.structs.replace(question("action", {}), actions=(Order, Rest), no_op=Rest())
    for line in ("", "2", "rest", "R"):
        typed(line, "y")
        assert answering._composed(asked) == {"type": "Rest"}
    typed("x", "Order", "sell", "1", "", "", "", "", "n", "")
    with pytest.raises(typer.Abort):  # it was not meant, and then nobody typed any more
        answering._composed(asked)


def test_what_others_wrote_cannot_steer_the_terminal(capsys):
    asked = question("text", {"conversation": [{"from": "eve", "text": "\x1b[2J\x9b31m\u202ehello\n\tyou"}]})
    answering._show(asked)
    told = capsys.readouterr().out
    assert "hello\n\tyou" in told
    assert not any(mark in told for mark in ("\x1b[2J", "\x9b", "\u202e"))
