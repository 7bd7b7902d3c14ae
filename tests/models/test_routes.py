import pytest

from windtunnel.config import read_settings
from windtunnel.config.models import Choice, Deployment, Models, Route
from windtunnel.errors import ModelSetup, UsageError
from windtunnel.models.gateway import Gateway
from windtunnel.models.routes import plan
from windtunnel.models.settings import Setup, is_loopback
from windtunnel.models.talk import Task

ALL = {
    "ANTHROPIC_API_KEY": "a-key", "GEMINI_API_KEY": "g-key", "OPENAI_API_KEY": "o-key",
    "VLLM_URL": "http://localhost:8000", "VLLM_MODEL": "qwen", "OLLAMA_URL": "http://localhost:11434",
}  # fmt: skip


def names(environ: dict[str, str], task: Task, route: str = "default", **words) -> list[str]:
    steps = plan(Setup(Models(**words), environ), route, task).steps
    return [step if isinstance(step, str) else step.name for step in steps]


def test_high_risk_with_accuracy_goes_to_claude_then_gemini_and_then_down_the_chain():
    for risk in ("high", "critical"):
        assert names(ALL, Task(risk=risk, accuracy=True)) == ["claude", "gemini", "vllm", "ollama"]


@pytest.mark.parametrize(
    "task", [Task(), Task(risk="high"), Task(accuracy=True), Task(risk="medium", accuracy=True)]
)
def test_everything_else_goes_to_vllm_then_ollama_and_then_down_the_chain(task):
    assert names(ALL, task) == ["vllm", "ollama", "claude", "gemini"]


def test_what_is_not_set_up_is_left_out():
    assert names({"GEMINI_API_KEY": "g"}, Task(risk="high", accuracy=True)) == ["gemini"]
    assert names({"OLLAMA_MODEL": "llama3"}, Task()) == ["ollama"]


def test_nothing_set_up_says_which_variable_to_set():
    with pytest.raises(ModelSetup) as caught:
        names({}, Task())
    assert "OLLAMA_URL" in str(caught.value)


def test_a_vllm_without_the_name_of_its_model_says_so():
    with pytest.raises(ModelSetup, match="VLLM_MODEL"):
        names({"VLLM_URL": "http://localhost:8000"}, Task())


def test_the_default_table_can_be_replaced():
    route = Route(choose=(Choice(use=("openai",), types=("trade",)),), chain=("ollama",))
    assert names(ALL, Task(type="trade"), routes={"default": route}) == ["openai", "ollama"]
    assert names(ALL, Task(type="talk"), routes={"default": route}) == ["ollama"]


@pytest.mark.parametrize(
    ("choice", "fits", "fails"),
    [
        ({"tokens_from": 100}, Task(tokens=100), Task(tokens=99)),
        ({"tokens_to": 100}, Task(tokens=100), Task(tokens=101)),
        ({"tokens_from": 1}, Task(tokens=1), Task()),
        ({"priority_from": 2}, Task(priority=2), Task(priority=1)),
        ({"accuracy": False}, Task(), Task(accuracy=True)),
        ({"risk": ("low",)}, Task(), Task(risk="medium")),
    ],
)
def test_a_choice_is_taken_only_if_its_condition_holds(choice, fits, fails):
    routes = {"r": Route(choose=(Choice(use=("claude",), **choice),), chain=("gemini",))}
    assert names(ALL, fits, "r", routes=routes) == ["claude", "gemini"]
    assert names(ALL, fails, "r", routes=routes) == ["gemini"]


def test_routes_nest_and_each_deployment_comes_once():
    routes = {
        "cheap": Route(chain=("ollama", "vllm")),
        "all": Route(chain=("vllm", "cheap", "anthropic:claude-haiku-4-5", "claude", "cheap")),
    }
    assert names(ALL, Task(), "all", routes=routes) == [
        "vllm",
        "ollama",
        "anthropic:claude-haiku-4-5",
        "claude",
    ]


def test_a_route_that_leads_back_to_itself_is_refused():
    routes = {"a": Route(chain=("b",)), "b": Route(chain=("a",))}
    with pytest.raises(ModelSetup, match="a → b → a"):
        Setup(Models(routes=routes), {})


def test_a_name_that_is_not_there_is_refused_with_the_nearest_one():
    with pytest.raises(ModelSetup, match="did you mean 'claude'"):
        Setup(Models(routes={"r": Route(chain=("claud",))}), ALL)
    with pytest.raises(ModelSetup, match="set ANTHROPIC_API_KEY"):
        Setup(Models(), {}).named("claude")


def test_a_deployment_of_the_file_takes_the_place_of_a_built_in_one():
    mine = Deployment("openai-chat:mine", url="http://localhost:9/v1")
    setup = Setup(Models(deployments={"claude": mine}), ALL)
    assert setup.named("claude").full_name == "openai-chat:mine"


def test_the_environment_is_honoured():
    environ = {**ALL, "OLLAMA_URL": "http://box:11434", "OLLAMA_MODEL": "qwen3"}
    setup = Setup(Models(), environ)
    found = setup.named("ollama")
    assert (found.model, found.url, found.local) == ("qwen3", "http://box:11434/v1", True)
    assert (setup.named("vllm").model, setup.named("vllm").url) == ("qwen", "http://localhost:8000/v1")
    assert setup.named("ollama:other").url == "http://box:11434/v1"
    assert setup.named("claude").provider == "anthropic"


def test_a_hosted_ollama_is_not_local():
    assert not Setup(Models(), {}).named("ollama:gpt-oss-cloud").local
    assert not Setup(Models(), {"OLLAMA_URL": "https://ollama.com"}).named("ollama:x").local


def test_a_key_written_into_the_file_is_refused_and_not_shown():
    with pytest.raises(ModelSetup) as caught:
        Setup(Models(deployments={"x": Deployment("openai:m", key="sk-secret-123456")}), {})
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(ModelSetup) as caught:
        Setup(Models(deployments={"x": Deployment("openai:m", url="https://me:hunter2@api.example")}), {})
    assert "hunter2" not in str(caught.value)


def test_no_key_is_in_any_repr():
    setup = Setup(Models(), ALL)
    shown = [setup, Gateway(Models(), environ=ALL), setup.named("claude"), *Gateway(environ=ALL).health()]
    assert not any(key in repr(one) for one in shown for key in ("a-key", "g-key", "o-key"))


def test_a_provider_without_its_key_says_which_to_set():
    setup = Setup(Models(), {})
    assert setup.missing(setup.named("anthropic:m")) == "set ANTHROPIC_API_KEY"
    assert setup.missing(setup.named("ollama:m")) is None
    at_home = Setup(Models(deployments={"x": Deployment("openai:m", url="http://localhost:1/v1")}), {})
    assert at_home.missing(at_home.named("x")) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "a.localhost"])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.evil.com", "", "127.0.0.1.nip.io"]
)
def test_others_are_not(host):
    assert not is_loopback(host)


TOML = """
[models.deployments.fast]
model = "openai-chat:qwen"
url = "http://localhost:8000/v1"
concurrency = 64

[models.routes.default]
choose = [{ use = ["fast"], risk = ["low"] }]
chain = ["claude"]

[models.prices."anthropic:claude-x"]
input = 3.0
output = 15

[models.budgets]
run = { money = 1.5, tokens = 100_000 }
"""


def test_the_file_says_deployments_routes_prices_and_budgets(tmp_path):
    file = tmp_path / "windtunnel.toml"
    file.write_text(TOML)
    models = read_settings(file).models
    assert models.deployments["fast"].concurrency == 64
    assert names(ALL, Task(), deployments=models.deployments, routes=models.routes) == ["fast", "claude"]
    assert models.budgets.run.money == 1.5
    assert models.prices["anthropic:claude-x"].output == 15


@pytest.mark.parametrize(
    ("wrong", "right", "line"),
    [("concurrency =", "concurency =", 5), ("risk =", "risks =", 0), ("output = 15", "outputs = 15", 13)],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_one_and_its_line(tmp_path, wrong, right, line):
    file = tmp_path / "windtunnel.toml"
    file.write_text(TOML.replace(wrong, right))
    with pytest.raises(UsageError) as caught:
        read_settings(file)
    assert repr(wrong.split()[0]) in (caught.value.remedy or "")
    if line:
        assert (caught.value.where or "").endswith(f":{line}")


def test_a_value_that_does_not_fit_is_refused_by_name(tmp_path):
    file = tmp_path / "windtunnel.toml"
    file.write_text(TOML.replace("concurrency = 64", "concurrency = 0"))
    with pytest.raises(UsageError, match=r"models\.deployments\.fast\.concurrency"):
        read_settings(file)
