"""`--set`: what a path reaches, how values are read, and how a wrong one is refused."""

import msgspec
import pytest

from tests.scenario.shop import make_world
from windtunnel.errors import ScenarioError
from windtunnel.scenario import apply_overrides, load_scenario, override_scenario, scenario_to_plain

FILE = """\
world: shop
turns: 5
agents:
  - {id: ann, role: seller}
  - {id: b, role: buyer, count: 2}
"""


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(FILE)
    return load_scenario(file, make_world())


@pytest.mark.parametrize(
    ("override", "reach", "value"),
    [
        ("turns=20", lambda s: s.turns, 20),
        ("parameters.tax=0.2", lambda s: s.parameters.tax, 0.2),
        ("tax=0.2", lambda s: s.parameters.tax, 0.2),
        ("tax = 0.2", lambda s: s.parameters.tax, 0.2),
        ("bank.interest=0.5", lambda s: s.parameters.bank.interest, 0.5),
        ("goods=[{name: pears, price: 3}]", lambda s: s.parameters.goods[0].price, 3.0),
        ("stock.pears=4", lambda s: s.parameters.stock, {"pears": 4}),
        ("limit=7", lambda s: s.parameters.limit, 7),
        ("limit=null", lambda s: s.parameters.limit, None),
        ("motto=2024", lambda s: s.parameters.motto, "2024"),
        ("motto=yes: or no", lambda s: s.parameters.motto, "yes: or no"),
        ("motto=", lambda s: s.parameters.motto, ""),
        ("motto=a=b", lambda s: s.parameters.motto, "a=b"),
        ("motto='quoted'", lambda s: s.parameters.motto, "quoted"),
        ("rule={type: steps, rates: [1]}", lambda s: s.parameters.rule.rates, [1.0]),
        ("agents.ann.policy=calm", lambda s: s.agents[0].policy, "calm"),
        ("agents.0.model=house", lambda s: s.agents[0].model, "house"),
        ("agents.b-2.model=ollama:llama3", lambda s: s.agents[2].model, "ollama:llama3"),
        ("agents.*.size=3", lambda s: [agent.size for agent in s.agents], [3, 3, 3]),
        ("agents.ann.settings.deep.x=[1, 2]", lambda s: s.agents[0].settings, {"deep": {"x": [1, 2]}}),
        ("events=[{turn: 1, kind: storm}]", lambda s: s.events[0].kind, "storm"),
        ("tags=[a, b]", lambda s: s.tags, ("a", "b")),
    ],
)
def test_an_override_changes_one_value(scenario, override, reach, value):
    assert reach(override_scenario(scenario, [override], make_world())) == value


@pytest.mark.parametrize(
    ("override", "words", "remedy"),
    [
        ("turns", "KEY=VALUE", "tax=0.2"),
        ("=3", "KEY=VALUE", "tax=0.2"),
        ("agents..id=3", "KEY=VALUE", "tax=0.2"),
        ("trns=3", "there is no key 'trns'", "did you mean 'turns'?"),
        ("taxs=3", "there is no key 'taxs'", "did you mean 'tax'?"),
        ("name=x", "there is no key 'name'", ""),
        ("parameters.taxs=3", "there is no key 'taxs'", "did you mean 'tax'?"),
        ("bank.intrest=3", "there is no key 'intrest'", "did you mean 'interest'?"),
        ("tax=1.5", "parameters.tax: must be at most 1.0, not 1.5", None),
        ("tax=20%", "parameters.tax: must be a number", "write 0.2"),
        ("tax=[1", "not closed", "close it with ]"),
        ("tax=.nan", "not a finite number", ""),
        ("tax=!!python/name:os.system", "tag", ""),
        ("tax.deep=1", "'tax' holds a single value", "set tax itself"),
        ("turns=ten", "turns: must be a whole number", None),
        ("world=other", "the world is called 'shop'", ""),
        ("agents.anne.policy=calm", "nothing here is called 'anne'", "did you mean 'ann'?"),
        ("agents.3.policy=calm", "there are 3 of them", "0 to 2"),
        ("agents.99999999999999999999.policy=calm", "there are 3 of them", "0 to 2"),
        ("agents.ann.polcy=calm", "there is no key 'polcy'", "did you mean 'policy'?"),
        ("agents.ann.policy=clam", "'clam' is not a policy of seller", "did you mean 'calm'?"),
        ("agents.*.role=byer", "'byer' is not a role of shop", "did you mean 'buyer'?"),
        ("agents.ann.kind=rul", "'rul' is not a kind of agent", "did you mean 'rule'?"),
        ("agents.b-1.id=ann", "two agents are called 'ann'", "rename one"),
        ("agents=[]", "agents: must be a list", None),
        ("mode=reel", "mode: 'reel' is not valid", "did you mean 'real'?"),
    ],
)
def test_a_wrong_override_is_named_with_its_cure(scenario, override, words, remedy):
    with pytest.raises(ScenarioError) as caught:
        override_scenario(scenario, ["seed=3", override, "title=x"], make_world())
    assert caught.value.where == f"--set {override}"
    assert words in caught.value.message
    assert (remedy is None and caught.value.remedy is None) or str(remedy) in str(caught.value.remedy)


def test_what_was_wrong_before_is_not_blamed_on_an_override(scenario):
    wrong = msgspec.structs.replace(scenario, parameters={"bank": {"interest": 3}})
    with pytest.raises(ScenarioError, match=r"bank\.interest: must be at most 0\.5") as caught:
        override_scenario(wrong, ["turns=9"], make_world())
    assert caught.value.where == "parameters.bank.interest"


def test_the_last_override_of_a_key_wins_and_only_the_end_is_checked(scenario):
    made = override_scenario(
        scenario, ["tax=9", "tax=0.3", "agents.ann.role=buyer", "agents.ann.policy=dove"], make_world()
    )
    assert made.parameters.tax == 0.3
    assert made.agents[0].role == "buyer"


def test_a_key_of_the_scenario_is_never_taken_for_a_parameter():
    plain = {"world": "w", "turns": 1, "parameters": {"turns": 2, "tax": 3}}
    changed = apply_overrides(plain, ["turns=7", "tax=8"])
    assert changed == {"world": "w", "turns": 7, "parameters": {"turns": 2, "tax": 8}}


def test_the_given_values_are_left_as_they_were(scenario):
    plain = scenario_to_plain(scenario)
    before = scenario_to_plain(scenario)
    apply_overrides(plain, ["agents.0.settings.x=1", "stock.a=2", "tags=[a]"], make_world())
    assert plain == before


def test_the_name_and_agents_from_python_stay(scenario):
    plain = scenario_to_plain(scenario)
    plain["agents"][0]["kind"] = "python"
    from windtunnel.scenario import scenario_from_plain

    made = override_scenario(scenario_from_plain(plain, make_world()), ["turns=9"], make_world())
    assert (made.name, made.turns, made.agents[0].kind) == ("shop/small", 9, "python")
