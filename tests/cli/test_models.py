"""`models`: what is there, what it costs, and whether it answers; never a key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from windtunnel.config.models import Limit
from windtunnel.models.budget import Amount, Ceiling
from windtunnel.models.ledger import Ledger
from windtunnel.testing.provider import Provider, failing, truncated, unauthorized

SECRET = "sk-do-not-show-4711"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        if name not in ("NO_COLOR", "WINDTUNNEL_PYTHON"):
            monkeypatch.delenv(name, raising=False)


def write(workspace: Path, text: str) -> None:
    (workspace / "windtunnel.toml").write_text(text)


def deployment(name: str, url: str, **more: object) -> str:
    lines = {"model": f"openai-chat:model-{name}", "url": url, "local": True, **more}
    said = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    return f"[models.deployments.{name}]\n{said}"


# --- what there is ---


def test_with_nothing_set_up_it_says_how(wt):
    said = wt("models")
    assert said.code == 0
    for piece in ("No model is set up", "ANTHROPIC_API_KEY=", "VLLM_MODEL", ".env.example", "house", "rule"):
        assert piece in said.out, piece
    data = wt("models", "--json").data
    assert (data["deployments"], data["can_be_asked"], data["accounts"]) == ([], [], [])
    assert data["built_in"] == ["house", "rule", "test"]


def test_an_env_file_that_nobody_reads_is_pointed_out(wt, workspace):
    (workspace / ".env").write_text(f"ANTHROPIC_API_KEY={SECRET}\n")
    assert wt("models", "--json").data["can_be_asked"] == ["claude"]
    (workspace / "windtunnel.toml").unlink()
    assert ".env is not read" in " ".join(wt("models").out.split())
    assert wt("models", "--json").data["can_be_asked"] == []


def test_a_key_is_named_and_never_shown(wt, workspace, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    (workspace / ".env").write_text(f"GEMINI_API_KEY={SECRET}\n")
    write(workspace, deployment("fast", "http://localhost:1/v1", key="FAST_KEY"))
    told = wt("models")
    data = wt("models", "--json")
    keys = {one["name"]: (one["key"], one["key_set"]) for one in data.data["deployments"]}
    assert keys == {
        "claude": ("ANTHROPIC_API_KEY", True),
        "gemini": ("GEMINI_API_KEY", True),
        "fast": ("FAST_KEY", False),
    }
    assert "ANTHROPIC_API_KEY" in told.out
    assert SECRET not in told.out + told.err + data.out + data.err


def test_each_deployment_says_address_price_breaker_and_concurrency(wt, workspace):
    text = deployment("home", "http://localhost:1/v1", concurrency=64)
    text += deployment("dear", "http://far.example/v1", local=False, key="ANY")
    text += deployment("odd", "http://far.example/v1", local=False, key="ANY")
    write(workspace, text + '[models.prices."dear"]\ninput = 0.2\noutput = 0.625\n')
    found = {one["name"]: one for one in wt("models", "--json").data["deployments"]}
    assert found["home"]["address"] == "http://localhost:1/v1"
    assert (found["home"]["where"], found["home"]["free"], found["home"]["concurrency"]) == (
        "local",
        True,
        64,
    )
    assert found["dear"]["price"] == {"input": 0.2, "output": 0.625, "cached": 0.2}
    assert (found["dear"]["where"], found["dear"]["free"], found["dear"]["breaker"]) == (
        "paid",
        False,
        "closed",
    )
    assert found["odd"]["price"] is None
    told = wt("models").out
    for piece in ("0.2 in", "0.625 out", "no price", "free", "64 at once", "3 of 3 can be asked"):
        assert piece in told, piece
    assert max(map(len, told.splitlines())) <= 80


def test_published_prices_are_those_of_a_million_tokens(wt, monkeypatch):
    from genai_prices import Usage, calc_price

    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setenv("ANTHROPIC_MODEL", "claude-3-5-haiku-latest")
    (one,) = wt("models", "--json").data["deployments"]
    known = calc_price(
        Usage(input_tokens=1000, output_tokens=1000), "claude-3-5-haiku-latest", provider_id="anthropic"
    )
    assert one["price"]["input"] == pytest.approx(float(known.input_price) * 1000)
    assert one["price"]["output"] == pytest.approx(float(known.output_price) * 1000)


def test_routes_say_who_is_asked_here_and_who_is_left_out_and_why(wt, workspace, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    write(
        workspace,
        deployment("home", "http://localhost:1/v1")
        + '[models.routes.mine]\nchoose = [{use = ["gemini"], risk = ["high"], accuracy = true}]\n'
        + 'chain = ["home", "default"]\n',
    )
    routes = {one["name"]: one for one in wt("models", "--json").data["routes"]}
    assert routes["default"]["order"] == ["gemini"]
    assert routes["mine"]["order"] == ["home", "gemini"]
    left_out = dict(text.split(": ", 1) for text in routes["mine"]["left_out"])
    assert set(left_out) == {"claude", "vllm", "ollama"}
    assert "ANTHROPIC_API_KEY" in left_out["claude"]
    told = wt("models").out
    assert "if risk high and accuracy: gemini" in told
    assert "home → gemini" in told


def test_offline_only_what_is_on_this_machine_can_be_asked(wt, workspace, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setenv("WINDTUNNEL_OFFLINE", "1")
    chain = '[models.routes.both]\nchain = ["claude", "home"]\n'
    with Provider("ready") as provider:
        write(workspace, deployment("home", provider.openai) + chain)
        data = wt("models", "--json").data
        assert (data["can_be_asked"], data["offline"]) == (["home"], True)
        assert {one["name"]: one["order"] for one in data["routes"]}["both"] == ["home"]
        assert "WINDTUNNEL_OFFLINE is set" in " ".join(wt("models").out.split())
        assert [row["name"] for row in wt("models", "test", "--json").rows] == ["home"]
        (row,) = wt("models", "test", "both", "--json").rows  # what is left out of a route is passed over
        assert (row["ok"], row["model"]) == (True, "openai-chat:model-home")
        said = wt("models", "test", "claude", "--json")
        assert said.code == 1
        assert "WINDTUNNEL_OFFLINE" in said.data["error"]["message"]


def test_a_provider_whose_package_is_not_installed_says_which_to_install(wt, monkeypatch):
    from windtunnel.models import providers

    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setattr(providers, "find_spec", lambda name: None if name == "anthropic" else object())
    (one,) = wt("models", "--json").data["deployments"]
    assert one["problem"] == "pip install 'windtunnel[anthropic]'"
    assert "windtunnel[anthropic]" in wt("models").out


def test_budgets_and_what_the_lasting_accounts_hold_are_told(wt, workspace):
    write(workspace, "[models.budgets]\nrun = { money = 2.50, tokens = 5_000_000 }\n")
    data = wt("models", "--json").data
    assert data["budgets"] == {"run": {"money": 2.5, "tokens": 5_000_000}}
    assert data["accounts"] == []
    assert not (workspace / ".windtunnel").exists()
    ledger = Ledger(workspace / ".windtunnel" / "accounts.sqlite")
    account = ledger.account("tournament cup", Ceiling.of(Limit()))
    account.settle(account.reserve("a", Amount(900, 90)), Amount(1_250_000, 70))
    account.keep(account.reserve("b", Amount(500, 50)))
    account.reserve("c", Amount(30, 3))
    ledger.close()
    assert wt("models", "--json").data["accounts"] == [
        {
            "account": "tournament cup", "micro_dollars": 1_250_000, "tokens": 70,
            "reserved_micro_dollars": 530, "reserved_tokens": 53, "in_doubt": 1,
        }
    ]  # fmt: skip
    told = " ".join(wt("models").out.split())
    assert "$2.50, 5,000,000 tokens" in told
    assert "$1.25 and 70 tokens spent, $0.00053 and 53 tokens reserved, 1 call in doubt" in told


def test_broken_settings_are_an_error_with_a_place(wt, workspace):
    write(workspace, deployment("home", "http://localhost:1/v1").replace("openai-chat:", ""))
    said = wt("models", "--json")
    assert (said.code, said.error["code"]) == (2, "model_setup")
    assert wt("models", "odd", "--json").error["remedy"] == "one of: list, test"


def test_doctor_counts_the_models_in_one_line(wt, workspace, monkeypatch):
    def told() -> tuple[str, str, str]:
        (one,) = [row for row in wt("doctor", "--json").rows if row["name"] == "models"]
        return one["level"], one["found"], one["remedy"] or ""

    assert told()[0] == "note"
    assert "windtunnel models" in told()[2]
    write(workspace, deployment("home", "http://localhost:1/v1"))
    monkeypatch.setenv("VLLM_URL", "http://localhost:2")
    level, found, remedy = told()
    assert (level, found) == ("note", "1 of 2 can be asked; windtunnel models lists them")
    assert "windtunnel models" in remedy
    monkeypatch.setenv("VLLM_MODEL", "any")
    assert told()[0] == "good"
    assert "2 of 2 can be asked; windtunnel models lists them" in " ".join(wt("doctor").out.split())


# --- do they answer ---


def test_every_model_that_can_be_asked_is_asked_once_with_a_line_each(wt, workspace, monkeypatch):
    monkeypatch.setenv("VLLM_URL", "http://localhost:2")  # its model is not named: it cannot be asked
    with Provider("ready") as good, Provider([failing(503)] * 9) as bad:
        text = deployment("good", good.openai) + deployment("bad", bad.openai)
        write(workspace, text + settings_with_cache())
        said = wt("models", "test", "--json")
        rows = {row["name"]: row for row in said.rows}
        assert said.code == 1
        assert set(rows) == {"good", "bad"}
        assert rows["good"]["ok"]
        assert (rows["good"]["model"], rows["good"]["text"], rows["good"]["cost"]) == (
            "openai-chat:model-good",
            "ready",
            0,
        )
        assert rows["good"]["input"] > 0
        assert rows["bad"]["error"]["remedy"]
        assert rows["bad"]["error"]["code"] == "model"
        assert (good.log.totals.asked, bad.log.totals.asked) == (1, 1)
        told = wt("models", "test", "good")
        assert told.code == 0
        assert re.search(r"ok +good +openai-chat:model-good", told.out)
        assert good.log.totals.asked == 2  # nothing comes from the cache
        failed = wt("models", "test", "bad")
        assert failed.code == 1
        assert "next" in failed.out


def settings_with_cache() -> str:
    return "[models]\ncache = true\n"


def test_all_are_asked_at_the_same_time(wt, workspace):
    """Each provider answers only once the other was asked."""
    import threading

    both = threading.Barrier(2, timeout=20)

    def meet(_: object) -> str:
        both.wait()
        return "ready"

    with Provider(meet) as one, Provider(meet) as two:
        write(workspace, deployment("one", one.openai) + deployment("two", two.openai))
        assert wt("models", "test", "--json").code == 0


def test_names_may_be_routes_full_names_and_built_in_ones(wt, workspace):
    with Provider("ready") as provider:
        write(workspace, deployment("home", provider.openai) + '[models.routes.r]\nchain = ["home"]\n')
        said = wt("models", "test", "r", "test", "house", "nope", "--json")
    rows = {row["name"]: row for row in said.rows}
    assert said.code == 1
    assert {name for name, row in rows.items() if row["ok"]} == {"r", "test", "house"}
    assert "there is no model 'nope'" in rows["nope"]["error"]["message"]


def test_a_key_that_is_refused_is_told_without_the_key(wt, workspace, monkeypatch):
    monkeypatch.setenv("HOME_KEY", SECRET)
    with Provider([unauthorized()] * 3) as provider:
        write(workspace, deployment("home", provider.openai, key="HOME_KEY"))
        said = wt("models", "test", "--json")
        told = wt("models", "test")
    assert said.code == told.code == 1
    assert SECRET not in said.out + said.err + told.out + told.err


def test_a_reply_that_was_cut_is_an_answer_and_says_so(wt, workspace):
    with Provider([truncated()] * 3) as provider:
        write(workspace, deployment("home", provider.openai))
        said = wt("models", "test", "--json")
        assert (said.code, said.data["label"]) == (0, "truncated")
        assert "truncated" in wt("models", "test").out


def test_the_budgets_of_the_workspace_apply(wt, workspace):
    with Provider("ready") as provider:
        home = deployment("home", provider.openai)
        write(workspace, home + "[models.budgets]\nworkspace = { tokens = 500 }\n")
        assert wt("models", "test", "--json").code == 0
        (account,) = wt("models", "--json").data["accounts"]
        assert account["account"] == "workspace"
        assert account["tokens"] > 0
        write(workspace, home + "[models.budgets]\nworkspace = { tokens = 20 }\n")
        said = wt("models", "test", "--json")
        assert (said.code, said.data["error"]["code"]) == (1, "budget")
        assert provider.log.totals.asked == 1


def test_without_a_budget_no_account_is_made(wt, workspace):
    with Provider("ready") as provider:
        write(workspace, deployment("home", provider.openai))
        assert wt("models", "test", "--json").code == 0
    assert not (workspace / ".windtunnel").exists()


def test_with_nothing_to_ask_the_test_says_so(wt):
    said = wt("models", "test", "--json")
    assert (said.code, said.error["code"]) == (2, "model_setup")
    assert "windtunnel models" in said.error["remedy"]
