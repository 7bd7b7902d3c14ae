"""A strategy against its own past, and challengers against a frozen pool."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.sampling import sampled
from tests.tournaments.field import command, field, play, told
from windtunnel.config import Workspace
from windtunnel.control.strategies import Strategies
from windtunnel.control.worlds import Worlds
from windtunnel.errors import WindtunnelError
from windtunnel.evolution.reading import inline_evolution
from windtunnel.strategies.model import Strategy
from windtunnel.strategies.versions import Version
from windtunnel.tournaments.draw import Comparison
from windtunnel.tournaments.entering import chosen
from windtunnel.tournaments.model import Entrant
from windtunnel.tournaments.reading import sources
from windtunnel.tournaments.running import begin_tournament, play_tournament
from windtunnel.tournaments.scoring import in_words
from windtunnel.tournaments.selfplay import OwnPast, own_pasts
from windtunnel.tournaments.standings import standings


def registered(workspace: Workspace, name: str, *skills: float) -> list[str]:
    """A version of each skill, as they were registered: 1.0.0, 1.0.1, …"""
    labels = []
    with Strategies(workspace, Worlds(workspace)) as kept:
        for skill in skills:
            path = workspace.root / f"{name}.yaml"
            path.write_text(
                f"strategy: {name}\nworld: dice\nrole: player\npolicy: dice\nparameters: {{skill: {skill}}}\n"
                "schema: {skill: {type: number, minimum: -6, maximum: 6}}\n"
            )
            labels.append(kept.add(str(path), by="kim").version.label)
            path.unlink()  # so that only the registry has them
    return labels


# --- who enters ---


def test_all_versions_of_a_name_enter_the_highest_first(workspace: Workspace) -> None:
    labels = registered(workspace, "dove", 0, 1, 2)
    made = field(workspace, [{"versions": "dove"}, "greedy"])
    assert [one.name for one in made.entrants] == ["dove-1-0-2", "dove-1-0-1", "dove-1-0-0", "greedy"]
    assert [one.strategy.parameters.get("skill") for one in made.entrants[:3]] == [2, 1, 0]
    assert [one.version for one in made.entrants] == [*labels[::-1], ""]


@pytest.mark.parametrize(
    ("entry", "numbers"),
    sampled(
        [
            ({"versions": "dove", "last": 2}, ["1.0.2", "1.0.1"]),
            ({"versions": "dove@1.0"}, ["1.0.2", "1.0.1", "1.0.0"]),
            ({"versions": "dove@1.0.1"}, ["1.0.1"]),
        ],
        3,
    ),
)
def test_versions_are_narrowed_by_how_they_begin_and_to_the_last(
    workspace: Workspace, entry: dict[str, Any], numbers: list[str]
) -> None:
    registered(workspace, "dove", 0, 1, 2)
    made = field(workspace, [entry, "dice", "greedy"])
    assert [one.version for one in made.entrants if one.version] == [f"dove@{number}" for number in numbers]


def test_numbers_are_read_as_numbers_and_not_as_text() -> None:
    class Known:
        def versions(self, name: str) -> list[Version]:
            numbers = ("1.0.9", "1.0.10", "1.0.1", "10.0.0")
            strategy = Strategy(name, "dice", "player")
            told = (strategy, "patch", (), "by hand", "", "", 0.0)
            return [Version(name, one, "0" * 64, *told) for one in numbers]  # type: ignore[arg-type]

    def found(which: str, last: int | None = None) -> list[str]:
        return [one.number for one in chosen(Known(), which, last)]  # type: ignore[arg-type]

    assert found("dove") == ["10.0.0", "1.0.10", "1.0.9", "1.0.1"]
    assert found("dove@1.0.1") == ["1.0.1"]
    assert found("dove@1", 2) == ["1.0.10", "1.0.9"]


@pytest.mark.slow
def test_two_versions_that_are_named_one_by_one_go_by_their_numbers(workspace: Workspace) -> None:
    registered(workspace, "dove", 0, 1)
    assert [one.name for one in field(workspace, ["dove@1.0.1", "dove@1.0.0"]).entrants] == [
        "dove-1-0-1",
        "dove-1-0-0",
    ]
    assert [one.name for one in field(workspace, ["dove@1.0.1", "dice"]).entrants] == ["dove", "dice"]


@pytest.mark.parametrize(
    ("entrants", "pool", "message", "remedy"),
    sampled(
        [
            ([{"versions": "hawk"}, "dice"], [], "no strategy is called 'hawk'", "strategies add PATH"),
            ([{"versions": "dove@2"}, "dice"], [], "no version of 'dove' begins with '2'", "1.0.0"),
            ([{"versions": "dove", "name": "x"}, "dice"], [], "of one strategy", "field"),
            ([{"strategy": "dice", "last": 2}, "greedy"], [], "last counts versions", "versions: dice"),
            ([{"last": 2}, "greedy"], [], "either a strategy or versions", "versions: NAME"),
            (["dice"], [], "needs two entrants", "at least two"),
            (["dice"], ["dice"], "two entrants are called 'dice'", "another name"),
        ],
        3,
    ),
)
def test_what_cannot_enter_is_told_with_what_to_do(
    workspace: Workspace, entrants: list[Any], pool: list[Any], message: str, remedy: str
) -> None:
    if message.startswith("no version"):
        registered(workspace, "dove", 0)
    with pytest.raises(WindtunnelError) as caught:
        field(workspace, entrants, **({"pool": pool} if pool else {}))
    assert message in str(caught.value)
    assert remedy == "field" or remedy in (caught.value.remedy or "")


@pytest.mark.slow
def test_a_pool_is_for_gauntlets_and_a_gauntlet_has_one(workspace: Workspace) -> None:
    made = field(workspace, ["dice"], pool=["greedy"])
    assert (made.plan.format, made.plan.pool) == ("gauntlet", ("greedy",))
    with pytest.raises(WindtunnelError, match="no frozen pool"):
        field(workspace, ["dice"], pool=["greedy"], format="swiss")
    with pytest.raises(WindtunnelError, match="needs a pool"):
        field(workspace, ["dice", "greedy"], format="gauntlet")


@pytest.mark.slow
def test_an_evolution_may_have_all_of_a_past_as_its_opponents(workspace: Workspace) -> None:
    registered(workspace, "dove", 0, 1, 2)
    given = {
        "evolution": "Better than its past", "start": "dove", "scenario": "dice/bout",
        "opponents": [{"versions": "dove", "last": 2}],
        "held_out": {"seeds": 12, "opponents": ["dove@1.0.0"]},
    }  # fmt: skip
    plan = inline_evolution(given, sources(workspace))
    assert [one.version for one in plan.training.opponents] == ["dove@1.0.2", "dove@1.0.1"]
    assert [one.name for one in plan.held_out.opponents] == ["dove"]
    given["opponents"] = [{"versions": "hawk"}]
    with pytest.raises(WindtunnelError, match=r"opponent hawk: .*no strategy is called 'hawk'"):
        inline_evolution(given, sources(workspace))


# --- what the matches say ---


def compared(*meetings: tuple[str, str, float, int]) -> list[Comparison]:
    """So many lucks in which the first of two took this share of the points."""
    return [
        Comparison(f"{one}{other}{luck}", 1, ((one, share), (other, 1 - share)), (None, None))
        for one, other, share, lucks in meetings
        for luck in range(lucks)
    ]


def past_of(*meetings: tuple[str, str, float, int]) -> OwnPast:
    versions = ("1.10.0", "1.9.0", "1.0.0")
    entrants = tuple(
        Entrant(f"d@{number}", Strategy("d", "dice", "player"), "0" * 64, f"d@{number}")
        for number in reversed(versions)
    )
    named = [(f"d@{one}", f"d@{other}", share, lucks) for one, other, share, lucks in meetings]
    (past,) = own_pasts(_Entered(entrants), compared(*named))  # type: ignore[arg-type]
    return past


class _Entered:
    def __init__(self, entrants: tuple[Entrant, ...]) -> None:
        self.entrants = entrants


def test_a_newest_that_loses_to_what_one_between_beats_has_forgotten() -> None:
    past = past_of(("1.10.0", "1.9.0", 1, 40), ("1.9.0", "1.0.0", 1, 40), ("1.0.0", "1.10.0", 1, 40))
    assert past.newest == "d@1.10.0", "numbers are ordered as numbers"
    assert [(one.version, one.verdict, one.by) for one in past.past] == [
        ("d@1.9.0", "better", ()),
        ("d@1.0.0", "worse", ("d@1.9.0",)),
    ]
    assert "has forgotten how to beat d@1.0.0, which 1.9.0 can beat" in past.sentence


def test_a_newest_that_beats_all_of_its_past_has_forgotten_nothing() -> None:
    past = past_of(("1.10.0", "1.9.0", 1, 40), ("1.9.0", "1.0.0", 1, 40), ("1.10.0", "1.0.0", 1, 40))
    assert {one.verdict for one in past.past} == {"better"}
    assert "it beats all of its past" in past.sentence


def test_of_equals_nothing_is_said_that_the_matches_do_not_show() -> None:
    past = past_of(("1.10.0", "1.9.0", 0.5, 40), ("1.9.0", "1.0.0", 0.5, 40), ("1.10.0", "1.0.0", 0.5, 40))
    assert {one.verdict for one in past.past} == {"not known"}
    assert "Nothing shows that it forgot" in past.sentence
    assert all(one.low < 0.5 < one.high for one in past.past)


def test_a_doubt_is_named_where_one_between_is_surely_better() -> None:
    past = past_of(("1.10.0", "1.9.0", 0.5, 40), ("1.9.0", "1.0.0", 1, 40), ("1.10.0", "1.0.0", 0.5, 40))
    assert "Whether it still can beat d@1.0.0 (1.9.0 can) would take more seeds" in past.sentence


def test_the_more_versions_meet_the_wider_each_interval() -> None:
    few = past_of(("1.10.0", "1.9.0", 0.75, 30))
    many = past_of(("1.10.0", "1.9.0", 0.75, 30), ("1.9.0", "1.0.0", 1, 30), ("1.10.0", "1.0.0", 1, 30))
    assert (few.looked, many.looked) == (1, 3)
    assert many.past[0].low < few.past[0].low
    assert many.past[0].high > few.past[0].high


# --- played ---


@pytest.mark.slow
def test_who_is_in_the_pool_meets_challengers_only_and_is_pinned_in_the_table(workspace: Workspace) -> None:
    labels = registered(workspace, "dove", 0, 1, 3)
    made = field(workspace, ["dice", "dove"], pool=[{"versions": "dove@1.0", "last": 2}, "greedy"], seeds=1)
    _, table, heard = play(workspace, made)
    assert labels == ["dove@1.0.0", "dove@1.0.1", "dove@1.0.2"]
    frozen = {"dove-1-0-2", "dove-1-0-1", "greedy"}
    met = {frozenset(match.seats.values()) for match, _ in heard}
    assert met == {frozenset((one, other)) for one in ("dice", "dove") for other in frozen}
    assert len(heard) == 2 * 3 * 2  # challengers, pool, seats
    assert {line.entrant for line in table.lines if line.pool} == frozen
    assert {line.entrant for line in table.lines[:2]} == {"dice", "dove"}
    hashes = {one.name: one.hash for one in made.entrants}
    assert {line.entrant: line.hash for line in table.lines} == hashes
    (note,) = (note for note in table.notes if note.startswith("frozen pool"))
    pinned = zip([labels[2], labels[1], "greedy"], ["dove-1-0-2", "dove-1-0-1", "greedy"], strict=True)
    assert all(f"{label} {hashes[name][:8]}" in note for label, name in pinned)
    assert all(line.best is not None and line.best <= (line.worst or 0) for line in table.lines)


@pytest.mark.slow
def test_what_is_registered_or_moved_in_between_changes_nothing(workspace: Workspace) -> None:
    labels = registered(workspace, "dove", 0, 2)
    with Strategies(workspace, Worlds(workspace)) as kept:
        kept.tag(labels[0], "champion", by="kim")
    made = field(
        workspace, ["dice", {"strategy": "dove@champion", "name": "champion"}], pool=[{"versions": "dove"}]
    )
    found = begin_tournament(workspace, made)
    registered(workspace, "dove", 5)
    with Strategies(workspace, Worlds(workspace)) as kept:
        kept.tag(labels[1], "champion", by="kim")
    asyncio.run(play_tournament(workspace, found))
    table = standings(found)
    assert table.status == "completed"
    assert {line.entrant: line.hash for line in table.lines} == {one.name: one.hash for one in made.entrants}
    assert {line.strategy for line in table.lines if line.pool} == set(labels)
    (champion,) = (line for line in table.lines if line.entrant == "champion")
    assert champion.strategy == labels[0]


@pytest.mark.slow
def test_a_better_version_is_found_above_its_past_from_the_command_line(workspace: Workspace) -> None:
    labels = registered(workspace, "dove", 0, 1, 5)
    done = told(workspace.root, "selfplay", "dove", "--scenario", "dice/bout", "--seeds", "16")
    assert done["lines"][0]["strategy"] == labels[2]
    assert sorted(line["strategy"] for line in done["lines"]) == sorted(labels)
    (past,) = done["selfplay"]
    assert (past["newest"], [one["version"] for one in past["past"]]) == (labels[2], labels[1::-1])
    assert {one["verdict"] for one in past["past"]} == {"better"}, past
    assert "it beats all of its past" in past["sentence"]


@pytest.mark.slow
def test_one_version_has_no_past_to_play_against(workspace: Workspace) -> None:
    registered(workspace, "dove", 0)
    for name, said in (("dove", "only version"), ("dive", "did you mean 'dove'")):
        with command(workspace.root, "selfplay", name, "--scenario", "dice/bout") as process:
            _, err = process.communicate(timeout=60)
        assert (process.returncode, said in err) == (2, True), err


def test_a_pool_that_comes_over_the_network_opens_nothing_outside(tmp_path: Path) -> None:
    from windtunnel.tournaments.finding import check_inside

    with pytest.raises(WindtunnelError, match="outside the workspace"):
        check_inside(Workspace(tmp_path), {"entrants": ["dice"], "pool": ["/etc/passwd"]})


def test_what_wins_is_said_in_a_word_and_told_in_the_table(workspace: Workspace) -> None:
    from windtunnel.cli.tournaments import scoring_by

    assert scoring_by("") == {}
    assert scoring_by("wealth:mean, losses:lower") == {
        "scoring": {
            "metrics": [
                {"metric": "wealth", "of": "mean", "better": "higher"},
                {"metric": "losses", "of": "final", "better": "lower"},
            ]
        }
    }
    for wrong in ("wealth:median", ":mean", "wealth:mean:lower:sum"):
        with pytest.raises(WindtunnelError, match="no metric to win by"):
            scoring_by(wrong)
    made = field(workspace, ["dice", "greedy"], **scoring_by("wealth:mean,losses:lower"))
    assert in_words(made.scoring) == "wealth (mean), losses (final, lower is better)"
