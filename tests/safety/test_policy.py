"""Policies: which actions wait for people. Stricter than the world's own judge, never looser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.run.toy import Give, Rest, always, make, python, scene
from windtunnel.errors import RunError, ScenarioError
from windtunnel.journal import Status
from windtunnel.safety import Policy
from windtunnel.safety.policy import RISKS, magnitude
from windtunnel.scenario import (
    GRAVE,
    load_scenario,
    override_scenario,
    profiles,
    scenario_schema,
    whole_policy,
)
from windtunnel.testing.lab import Lab
from windtunnel.world import ACCEPT, Hold, Stakes, Verdict, World, allow, amend, hold, reject

HELD = [{"do": "hold"}]


def policy(*rules: dict[str, Any], **more: Any) -> Policy:
    plain = whole_policy({"name": "test", "rules": list(rules), **more})
    assert plain is not None
    return Policy(plain)


def risky(risk: Any = "medium", amount: float | None = None, unit: str = "", summary: str = "") -> World:
    stakes = Stakes(amount, risk, summary, unit)
    return msgspec.structs.replace(make(), stakes=lambda state, actor, action: stakes)


def once(turn: int = 2, amount: int = 7) -> Any:
    return lambda seen, context: Give(amount) if context.turn == turn else Rest()


def flown(tmp_path: Path, world: World, approvals: Any, **more: Any) -> Lab:
    lab = Lab(world, folder=tmp_path, players={"a": once()})
    lab.begin(scene(python("a"), turns=4, approvals=approvals, **more))
    lab.go()
    return lab


# --- in a run -----------------------------------------------------------------------------------------


def test_an_action_of_a_risk_that_the_policy_holds_waits_and_is_done_when_approved(tmp_path: Path) -> None:
    with flown(tmp_path, risky(summary="gives 7 coins"), "moderate") as lab:
        assert lab.row().status is Status.WAITING
        (effect,) = lab.waiting()
        terms = msgspec.json.decode(effect.request)["hold"]
        assert (terms["rule"], terms["summary"]) == ("moderate: medium", "gives 7 coins")
        lab.vote(effect.name)
        assert lab.go().status is Status.COMPLETED
        assert lab.at().frame.state.coins["a"] >= 107
        assert lab.replay().identical


def test_doing_nothing_never_waits(tmp_path: Path) -> None:
    with Lab(risky("critical"), folder=tmp_path, players={"a": lambda seen, context: Rest()}) as lab:
        assert lab.play(scene(python("a"), turns=3, approvals="conservative")).status is Status.COMPLETED
        assert lab.history(kind="effect") == []


def test_a_world_that_says_nothing_is_of_medium_risk(tmp_path: Path) -> None:
    with flown(tmp_path, make(), "moderate") as lab:
        assert lab.row().status is Status.WAITING
    (tmp_path / "more").mkdir()
    with flown(tmp_path / "more", make(), "aggressive") as lab:
        assert lab.row().status is Status.COMPLETED


def test_a_run_without_a_policy_is_the_same_to_the_last_byte(tmp_path: Path) -> None:
    heads = []
    for world in (make(), risky("critical")):
        with Lab(world) as lab:
            lab.play(scene("a", "b"))
            heads.append(lab.head())
            assert b"approvals" not in lab.history()[0].body
    assert heads[0] == heads[1]


def test_the_whole_policy_stands_in_the_first_entry(tmp_path: Path) -> None:
    with flown(tmp_path, make(), "moderate") as lab:
        said = lab.bodies("started")[0]["scenario"]["approvals"]
        assert said["name"] == "moderate"
        assert [rule["name"] for rule in said["rules"]] == ["medium", "grave"]
        assert said == whole_policy(said)


def test_what_the_world_made_of_an_action_is_what_waits(tmp_path: Path) -> None:
    world = msgspec.structs.replace(
        make(always(amend(Give(3), "less"), turn=2)),
        stakes=lambda state, actor, action: Stakes(float(action.amount), "low", f"gives {action.amount}"),
    )
    with flown(tmp_path, world, {"rules": [{"over": 2, "do": "hold"}]}) as lab:
        (effect,) = lab.waiting()
        request = msgspec.json.decode(effect.request)
        assert request["action"] == {"type": "Give", "amount": 3}
        assert (request["hold"]["amount"], request["hold"]["summary"]) == (3.0, "gives 3")
        lab.vote(effect.name)
        lab.go()
        judged = lab.bodies("judged", 2)[0]["verdicts"]["a"]
        assert (judged["kind"], judged["action"]["amount"]) == ("amend", 3)
        assert lab.at().frame.state.coins["a"] in (103, 104, 105)
        assert lab.replay().identical


def test_an_amendment_under_the_limit_needs_nobody(tmp_path: Path) -> None:
    world = msgspec.structs.replace(
        make(always(amend(Give(3), "less"), turn=2)),
        stakes=lambda state, actor, action: Stakes(float(action.amount), "low"),
    )
    with flown(tmp_path, world, {"rules": [{"over": 5, "do": "hold"}]}) as lab:
        assert lab.row().status is Status.COMPLETED


def test_a_refused_action_is_asked_again_and_comes_to_nothing(tmp_path: Path) -> None:
    with flown(tmp_path, risky("critical"), "conservative") as lab:
        assert lab.row().status is Status.COMPLETED
        last = lab.bodies("judged", 2)[-1]["verdicts"]["a"]
        assert last == {"kind": "no_op", "reason": "what is of critical risk is not done"}
        assert lab.at().frame.state.coins["a"] == 100


def test_a_fork_may_change_the_policy(tmp_path: Path) -> None:
    from windtunnel.run.fork import Change

    with Lab(risky("medium"), folder=tmp_path, players={"a": once(3)}) as lab:
        lab.play(scene(python("a"), turns=4))
        change = Change(lambda scenario: override_scenario(scenario, ["approvals=moderate"], lab.world))
        lab.fork("2", change=change)
        assert lab.go("fork").status is Status.WAITING
        lab.satisfy("fork")
        assert lab.go("fork").status is Status.COMPLETED
        assert lab.replay("fork").identical
        off = Change(lambda scenario: override_scenario(scenario, ["approvals="], lab.world))
        lab.fork("2", "off", of="fork", change=off)
        assert lab.go("off").status is Status.COMPLETED


@pytest.mark.parametrize(
    "bad",
    [
        lambda *_: None,
        lambda *_: Stakes(float("nan")),
        lambda *_: Stakes(-1.0),
        lambda *_: Stakes(risk="odd"),  # type: ignore[arg-type]
        lambda *_: 1 / 0,
    ],
    ids=["nothing", "no number", "less than nothing", "no risk", "raises"],
)
def test_stakes_that_make_no_sense_fail_the_run_by_name(tmp_path: Path, bad: Any) -> None:
    world = msgspec.structs.replace(make(), stakes=bad)
    from windtunnel.errors import WindtunnelError

    with pytest.raises(WindtunnelError, match="stakes of Give"):
        flown(tmp_path, world, "moderate")


# --- deferred, and judged again -----------------------------------------------------------------------


def deferred(tmp_path: Path, rule: Any, approvals: Any, stakes: Any = None) -> Lab:
    world = msgspec.structs.replace(make(rule), stakes=stakes)
    lab = Lab(world, folder=tmp_path, players={"a": once(2)})
    lab.begin(scene(python("a"), turns=9, approvals=approvals))
    lab.go(stop_after=4)
    return lab


DEFER = {"rules": [{"types": ["Give"], "do": "hold", "mode": "defer"}]}


def test_a_policys_deferred_action_comes_back_once_it_is_approved(tmp_path: Path) -> None:
    with deferred(tmp_path, None, DEFER) as lab:
        lab.vote("2.validate.a.0")
        lab.go()
        assert lab.at().frame.state.heard == ["approved a"]
        assert lab.replay().identical


def test_an_approved_action_that_the_judge_would_now_amend_needs_new_votes(tmp_path: Path) -> None:
    def rule(state: Any, actor: Any, action: Any, context: Any) -> Any:
        return amend(Give(1), "it is late") if context.turn >= 5 and action == Give(7) else ACCEPT

    with deferred(tmp_path, rule, DEFER) as lab:
        lab.vote("2.validate.a.0")
        lab.go(stop_after=6)
        assert lab.at().frame.state.heard == []
        (again,) = lab.waiting()
        assert msgspec.json.decode(again.request)["action"]["amount"] == 1
        told = lab.bodies("judged", 5)[0]["deferred"]
        assert told == [{"effect": "2.validate.a.0", "actor": "a", "outcome": "held again", "as": again.name}]
        lab.vote("2.validate.a.0", sender="late")
        lab.vote(again.name)
        lab.go()
        assert lab.at().frame.state.heard == ["approved a"]
        assert lab.replay().identical


def test_an_approved_action_whose_risk_has_grown_needs_two(tmp_path: Path) -> None:
    def stakes(state: Any, actor: Any, action: Any) -> Stakes:
        return Stakes(risk="high" if state.turn >= 4 else "low")

    with deferred(tmp_path, None, DEFER, stakes) as lab:
        lab.vote("2.validate.a.0", sender="x")
        lab.go(stop_after=6)
        (again,) = lab.waiting()
        assert msgspec.json.decode(again.request)["hold"]["approvers"] == 2
        assert lab.at().frame.state.heard == []
        lab.vote(again.name, sender="x")
        lab.vote(again.name, sender="y")
        lab.go()
        assert lab.at().frame.state.heard == ["approved a"]
        assert lab.replay().identical


def test_a_crowds_mask_survives_its_votes(tmp_path: Path) -> None:
    import numpy as np

    from tests.toys import crowd
    from windtunnel.world import AgentSpec, Scenario

    scenario = Scenario("crowd", agents=(AgentSpec("all", size=50),), turns=2)
    states = []
    for approvals in (None, {"rules": [{"do": "hold", "mode": "defer"}]}):
        with Lab(crowd.world) as lab:
            lab.play(msgspec.structs.replace(scenario, approvals=approvals))
            assert lab.row().status is Status.COMPLETED
            states.append(lab.bodies("consolidated")[-1]["state"])
            assert lab.replay().identical
    assert states[0] == states[1]
    judged = policy({"do": "hold", "mode": "defer"}).judge(allow(np.array([True, False])), Give(1), Stakes())
    assert judged.hold is not None
    assert judged.hold.mode == "park"
    assert judged.allowed is not None


# --- the judge ----------------------------------------------------------------------------------------

NAMES = st.sampled_from([(), ("Give",), ("G*",), ("Rest",), ("*",)])
BOUNDS = st.none() | st.sampled_from([0.0, 1.0, 10.0, 1e9])


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    do = draw(st.sampled_from(["allow", "hold", "refuse"]))
    over, under = draw(BOUNDS), draw(BOUNDS)
    rule: dict[str, Any] = {"do": do, "types": draw(NAMES)}
    safe = RISKS if do != "allow" else RISKS[:2]
    rule["risk"] = sorted(draw(st.sets(st.sampled_from(safe))))
    if over is not None and (under is None or over < under):
        rule["over"] = over
        rule["unit"] = draw(st.sampled_from(["", "coins", "cents"]))
    if do == "hold":
        rule["mode"] = draw(st.sampled_from(["park", "defer"]))
        if not set(rule["risk"]) & set(GRAVE):
            rule["approvers"] = draw(st.sampled_from([1, 2]))
    return rule


VERDICTS = st.sampled_from(
    [
        ACCEPT, reject("no"), amend(Give(1), "less"), hold("big"), hold("big", "defer", expires_turns=3),
        hold("big", risk="high", approvers=2), hold("big", approvers=3, expires_seconds=5.0),
    ]
)  # fmt: skip
STAKES = st.builds(
    Stakes, st.none() | st.floats(0, 1e12), st.sampled_from(RISKS), unit=st.sampled_from(["", "coins"])
)
STRICT = {"accept": 0, "amend": 0, "hold": 1, "reject": 2}


@pytest.mark.slow
@given(st.lists(rules(), max_size=6), VERDICTS, STAKES)
def test_no_word_is_looser_than_the_worlds(given: Any, theirs: Verdict, stakes: Stakes) -> None:
    word = policy(*given).judge(theirs, Give(1), stakes)
    assert STRICT[word.kind] >= STRICT[theirs.kind]
    assert word.allowed is theirs.allowed
    if theirs.hold is not None and word.hold is not None:
        assert word.hold.approvers >= theirs.hold.approvers
        assert RISKS.index(word.hold.risk) >= RISKS.index(theirs.hold.risk)
        assert word.hold.mode == theirs.hold.mode
        for name in ("expires_seconds", "expires_turns"):
            limit = getattr(theirs.hold, name)
            assert limit is None or getattr(word.hold, name) <= limit
    if word.kind == "hold" and theirs.kind == "amend":
        assert word.action == theirs.action


@pytest.mark.slow
@given(st.lists(rules(), max_size=6), VERDICTS, STAKES)
def test_what_is_grave_is_never_decided_by_one(given: Any, theirs: Verdict, stakes: Stakes) -> None:
    word = policy(*given).judge(theirs, Give(1), stakes)
    grave = stakes.risk in GRAVE or (theirs.hold is not None and theirs.hold.risk in GRAVE)
    if grave and theirs.kind != "reject":
        assert word.kind in ("hold", "reject")
        assert word.hold is None or word.hold.approvers >= 2


def test_as_many_people_as_the_world_wants_are_asked() -> None:
    theirs = hold("big", approvers=3, expires_seconds=5.0)
    word = policy({"do": "hold", "approvers": 2, "expires_seconds": 60}).judge(theirs, Give(1), Stakes())
    assert word.hold is not None
    assert (word.hold.approvers, word.hold.expires_seconds) == (3, 5.0)


def test_the_first_rule_that_fits_decides() -> None:
    rules: list[dict[str, Any]] = [
        {"types": ["Rest"], "do": "refuse"},
        {"under": 5, "do": "allow"},
        {"do": "hold"},
    ]
    judge = policy(*rules)
    assert judge.judge(ACCEPT, Give(1), Stakes(4.0)).kind == "accept"
    assert judge.judge(ACCEPT, Give(1), Stakes(5.0)).kind == "hold"
    assert judge.judge(ACCEPT, Rest(), Stakes(4.0)).kind == "reject"


@pytest.mark.parametrize(
    ("rule", "stakes", "kind"),
    [
        ({"over": 10, "do": "hold"}, Stakes(10.0), "accept"),
        ({"over": 10, "do": "hold"}, Stakes(10.5), "hold"),
        ({"over": 10, "do": "hold"}, Stakes(None), "hold"),
        ({"over": 10, "unit": "cents", "do": "hold"}, Stakes(1.0, unit="coins"), "hold"),
        ({"over": 10, "unit": "cents", "do": "refuse"}, Stakes(1.0, unit="cents"), "accept"),
        ({"over": 5, "amount": "amount", "do": "hold"}, Stakes(None), "hold"),
        ({"over": 9, "amount": "amount", "do": "hold"}, Stakes(1e9), "accept"),
    ],
)
def test_amounts_are_held_against_their_bounds(rule: dict[str, Any], stakes: Stakes, kind: str) -> None:
    assert policy(rule).judge(ACCEPT, Give(7), stakes).kind == kind


def test_an_unknown_amount_is_not_taken_for_a_small_one() -> None:
    judge = policy({"under": 10, "do": "allow"}, {"do": "hold"})
    assert judge.judge(ACCEPT, Give(7), Stakes(1.0)).kind == "accept"
    assert judge.judge(ACCEPT, Give(7), Stakes(None)).kind == "hold"


def test_an_action_without_the_field_is_not_spoken_of() -> None:
    assert (
        policy({"over": 0, "amount": "amount", "do": "hold"}).judge(ACCEPT, Rest(), Stakes()).kind == "accept"
    )


def test_a_field_counts_whichever_way_it_goes() -> None:
    import numpy as np

    assert magnitude(-3) == 3.0
    assert magnitude({"x": -1.0, "y": 2}) == 3.0
    assert magnitude(np.array([-1.0, 2.0])) == 3.0
    assert magnitude(np.array([-(2**63)])) == 2.0**63
    assert [magnitude(bad) for bad in (True, "7", None, float("inf"), [1, "x"])] == [None] * 5


def test_the_profiles_grow_stricter() -> None:
    words = {}
    for name in ("aggressive", "moderate", "conservative"):
        plain = whole_policy(name)
        assert plain is not None
        judged = [Policy(plain).judge(ACCEPT, Give(1), Stakes(risk=risk)) for risk in RISKS]
        words[name] = [(STRICT[v.kind], v.hold.approvers if v.hold else 0) for v in judged]
    assert set(words) == set(profiles())
    assert words["aggressive"] == [(0, 0), (0, 0), (1, 2), (1, 2)]
    assert words["moderate"] == [(0, 0), (1, 1), (1, 2), (1, 2)]
    assert words["conservative"] == [(1, 1), (1, 2), (1, 2), (2, 0)]


def test_the_terms_of_a_rule_reach_those_who_decide() -> None:
    rule = {
        "do": "hold",
        "name": "big",
        "approvers": 2,
        "expires_seconds": 60,
        "tell": ["desk"],
        "reason": "why",
    }
    word = policy(rule).judge(ACCEPT, Give(7), Stakes(7.0, "low", "gives 7", "coins"))
    assert word.hold == Hold(
        "why", "park", "low", 7.0, 2, 60.0, None, "gives 7", "coins", "test: big", ("desk",)
    )


# --- files --------------------------------------------------------------------------------------------


R = "approvals:\n  rules:\n"


def written(tmp_path: Path, text: str, **files: str) -> Path:
    for name, content in files.items():
        (tmp_path / f"{name}.yaml").write_text(content)
    path = tmp_path / "scene.yaml"
    path.write_text(f"world: toy\nagents:\n  - id: a\n{text}")
    return path


@pytest.mark.parametrize(
    ("text", "line", "said", "cure"),
    [
        ("approvals: moderat\n", 4, "no policy 'moderat'", "moderate"),
        ("approvals:\n  rulez: []\n", 5, "no key 'rulez'", "rules"),
        (f"{R}    - do: hodl\n", 6, "'hodl' is not valid", "hold"),
        (f"{R}    - {{risk: [grave], do: hold}}\n", 6, "'grave' is not valid", "low"),
        (f"{R}    - do: hold\n      approvers: 3\n", 7, "at most 2", ""),
        (
            f"{R}    - name: big\n      risk: [high]\n      do: hold\n      approvers: 1\n",
            9, "the rule 'big' lets one person decide on high risk", "approvers: 2",
        ),
        (f"{R}    - risk: [low, critical]\n      do: allow\n", 7, "lets critical risk pass", "hold"),
        (f"{R}    - do: refuse\n      approvers: 2\n", 7, "holds nothing", "do: hold"),
        (f"{R}    - do: hold\n      expires_turns: 2\n", 7, "no turn passes", "expires_seconds"),
        (f"{R}    - {{do: hold, over: 3, under: 2}}\n", 6, "fits no amount", ""),
        (f"{R}    - {{do: hold, unit: coins}}\n", 6, "names unit, and no amount", "over"),
        (f"{R}    - do: hold\n      types: [Gvie]\n", 7, "no action 'Gvie'", "Give"),
        (f"{R}    - {{do: hold, over: 1, amount: amout}}\n", 6, "no such action has a field", "amount"),
        ("approvals: [moderate]\n", 4, "approvals", ""),
        ("approvals: nowhere.yaml\n", 4, "nowhere.yaml cannot be read", "write"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused_by_line(
    tmp_path: Path, text: str, line: int, said: str, cure: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(written(tmp_path, text), make())
    assert said in caught.value.message
    assert cure in (caught.value.remedy or "")
    assert caught.value.data["line"] == line


def test_a_policy_in_a_file_of_its_own_extends_a_profile(tmp_path: Path) -> None:
    mine = "extends: base.yaml\nexpires_seconds: 60\nrules:\n  - {types: [Give], over: 3, do: hold}\n"
    base = "extends: moderate\ntell: [desk]\nrules:\n  - {types: [Rest], do: allow}\n"
    path = written(tmp_path, "approvals: mine.yaml\n", mine=mine, base=base)
    plain = load_scenario(path, make()).approvals
    assert plain["name"] == "mine"
    assert [rule.get("name", rule.get("types")) for rule in plain["rules"]] == [
        ["Give"], ["Rest"], "medium", "grave",
    ]  # fmt: skip
    assert plain["rules"][0]["expires_seconds"] == 60
    assert plain["rules"][2]["expires_seconds"] == 86_400
    assert plain["rules"][3]["tell"] == ["desk"]


def test_a_mistake_in_a_policys_own_file_is_told_there(tmp_path: Path) -> None:
    path = written(tmp_path, "approvals: mine.yaml\n", mine="rules:\n  - dos: hold\n")
    for load in (
        lambda: load_scenario(path, make()),
        lambda: override_scenario(scene("a"), [f"approvals={tmp_path / 'mine.yaml'}"], make()),
    ):
        with pytest.raises(ScenarioError, match=r"mine\.yaml:2") as caught:
            load()
        assert "do" in (caught.value.remedy or "")


def test_policies_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "approvals: a.yaml\n", a="extends: b.yaml\n", b="extends: a.yaml\n")
    with pytest.raises(ScenarioError, match="extend each other"):
        load_scenario(path, make())


def test_a_policy_is_set_from_the_command_line_and_mended_there() -> None:
    world = make()
    changed = override_scenario(scene("a"), ["approvals=moderate"], world)
    assert changed.approvals["name"] == "moderate"
    twice = override_scenario(changed, ["approvals.rules.0.approvers=2"], world)
    assert twice.approvals["rules"][0]["approvers"] == 2
    assert override_scenario(twice, ["approvals="], world).approvals is None
    with pytest.raises(ScenarioError, match="two") as caught:
        override_scenario(changed, ["approvals.rules.1.approvers=1"], world)
    assert caught.value.where == "--set approvals.rules.1.approvers=1"


def test_a_scenario_made_in_python_is_checked_when_its_run_begins(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path) as lab:
        wrong: list[Any] = ["odd", {"rules": [{"do": "hold", "types": ["Odd"]}]}, {"rulez": []}, 7]
        for bad in wrong:
            with pytest.raises((ScenarioError, RunError)):
                lab.begin(scene("a", approvals=bad))


def test_editors_know_the_words_of_a_policy() -> None:
    schema = scenario_schema(make())
    assert "PolicyRule" in schema["$defs"]
    assert {"$ref": "#/$defs/PolicyFile"} in schema["properties"]["approvals"]["anyOf"]
    assert schema["$defs"]["PolicyRule"]["additionalProperties"] is False
