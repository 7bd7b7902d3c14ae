"""Which models there are, and whether they answer: what is configured here, and one tiny call to each.

Nothing is written but what a call costs, where the workspace keeps lasting accounts. A key is never read out:
its variable is named, and whether it is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any

from msgspec import Struct, structs

from windtunnel.config import Workspace
from windtunnel.config.models import Limit, Price, Route
from windtunnel.errors import ModelSetup, WindtunnelError
from windtunnel.models.gateway import Gateway
from windtunnel.models.ledger import FILE as LEDGER_FILE
from windtunnel.models.ledger import Ledger
from windtunnel.models.prices import Rate
from windtunnel.models.providers import check_reachable, missing_package
from windtunnel.models.routes import plan
from windtunnel.models.settings import BUILT_IN, Deployment, Setup
from windtunnel.models.station import Health
from windtunnel.models.talk import Task, Usage
from windtunnel.models.timing import MachineClock

HOME = ".windtunnel"
MEASURE = 10_000  # tokens whose price is told for a million: few enough for the price of short prompts
BUDGETS = ("call", "run", "tournament", "evolution", "workspace")
SECONDS = 60.0  # a model at home may have to be loaded first


class Configured(Struct, frozen=True):
    """A deployment. `problem` is what keeps it from being asked; `price` is dollars for a million tokens."""

    name: str
    model: str
    address: str
    where: str
    key: str
    key_set: bool
    price: Price | None
    free: bool
    breaker: str
    concurrency: int
    problem: str | None


class Routed(Struct, frozen=True):
    """A route as it is written, and the order in which it asks here when nothing special is asked for."""

    name: str
    choose: list[dict[str, Any]]
    chain: tuple[str, ...]
    order: list[str]
    left_out: list[str]  # and why


class Spent(Struct, frozen=True):
    """A lasting account, in micro-dollars and tokens. In doubt: nobody knows how a call ended."""

    account: str
    micro_dollars: int
    tokens: int
    reserved_micro_dollars: int
    reserved_tokens: int
    in_doubt: int


class Overview(Struct, frozen=True):
    deployments: list[Configured]
    routes: list[Routed]
    built_in: tuple[str, ...]
    budgets: dict[str, Limit]
    accounts: list[Spent]
    offline: bool
    env_file: str | None  # one that is there, and is not read

    @property
    def askable(self) -> list[str]:
        return [one.name for one in self.deployments if one.problem is None]


class Tested(Struct, frozen=True):
    """What became of one call; `cost` is in micro-dollars."""

    name: str
    ok: bool
    seconds: float
    model: str = ""
    label: str = ""
    text: str = ""
    input: int = 0
    output: int = 0
    cost: int = 0
    error: dict[str, Any] | None = None


def overview(workspace: Workspace) -> Overview:
    """Everything that `[models]` and the environment say of models, and what is known of their accounts."""
    settings = workspace.settings.models
    gateway = Gateway(structs.replace(settings, cache=False), environ=workspace.environ)
    setup = gateway.setup
    unread = workspace.env_file.is_file() and not workspace.file.is_file()
    return Overview(
        deployments=[_configured(gateway, health) for health in gateway.health()],
        routes=[_routed(setup, name, route) for name, route in setup.routes.items()],
        built_in=BUILT_IN,
        budgets={
            name: limit
            for name in BUDGETS
            if (limit := getattr(settings.budgets, name)) != Limit()
        },
        accounts=_accounts(workspace),
        offline=setup.offline,
        env_file=str(workspace.env_file) if unread else None,
    )  # fmt: skip


def askable(workspace: Workspace) -> tuple[list[str], int]:
    """The names of the deployments that can be asked, and how many there are; no price is looked up."""
    setup = Setup(workspace.settings.models, workspace.environ)
    known = setup.deployments.values()
    return [one.name for one in known if _problem(setup, one) is None], len(known)


def _configured(gateway: Gateway, health: Health) -> Configured:
    deployment = gateway.setup.deployments[health.name]
    price = _for_a_million(gateway.station(deployment).rate)
    return Configured(
        name=health.name,
        model=health.model,
        address=health.url,
        where="local" if health.local else "paid",
        key=health.key,
        key_set=bool(gateway.setup.secret(deployment)),
        price=price,
        free=price is not None and not any((price.input, price.output, price.cached)),
        breaker=health.breaker,
        concurrency=health.width,
        problem=_problem(gateway.setup, deployment),
    )


def _problem(setup: Setup, deployment: Deployment) -> str | None:
    """What must be done before it can be asked."""
    if (missing := setup.missing(deployment)) is not None:
        return missing
    try:
        check_reachable(deployment, offline=setup.offline)
    except ModelSetup as error:
        return error.remedy
    return missing_package(deployment)


def _for_a_million(rate: Rate | None) -> Price | None:
    if rate is None:
        return None

    def dollars(usage: Usage) -> float:
        return rate.cost(usage) / MEASURE

    return Price(
        input=dollars(Usage(input=MEASURE)),
        output=dollars(Usage(output=MEASURE)),
        cached=dollars(Usage(input=MEASURE, cached=MEASURE)),
    )


def _routed(setup: Setup, name: str, route: Route) -> Routed:
    choose = [
        {key: value for key, value in structs.asdict(choice).items() if value not in (None, ())}
        for choice in route.choose
    ]
    try:
        made = plan(setup, name, Task())
    except ModelSetup as error:
        return Routed(name, choose, route.chain, [], list(dict.fromkeys((error.remedy or "").split("; "))))
    order = [step if isinstance(step, str) else step.name for step in made.steps]
    return Routed(name, choose, route.chain, order, list(made.left_out))


def _accounts(workspace: Workspace) -> list[Spent]:
    """What the lasting accounts hold; no file is made where there is none."""
    file = workspace.root / HOME / LEDGER_FILE
    if not file.is_file():
        return []
    ledger = Ledger(file)
    try:
        doubts = [one.account for one in ledger.in_doubt() if not one.open]
        return [
            Spent(name, *spent, *reserved, doubts.count(name))
            for name in ledger.accounts()
            for spent, reserved in [ledger.totals(name)]
        ]
    finally:
        ledger.close()


# --- asking ---


async def try_out(
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    told: Callable[[Tested], None] = lambda _: None,
    seconds: float = SECONDS,
) -> list[Tested]:
    """One tiny call to each of the names (to all that can be asked, without any), at the same time. `told`
    hears each when it is over. Each is asked once: what would be tried again in a run is a failure here."""
    settings = workspace.settings.models
    once = structs.replace(settings.retry, attempts=1, deadline=seconds)
    chosen = list(dict.fromkeys(names)) or askable(workspace)[0]
    if not chosen:
        raise ModelSetup(
            "no model can be asked here",
            where=str(workspace.root),
            remedy="windtunnel models says what is missing",
        )
    home = workspace.root / HOME
    changed = structs.replace(
        settings, retry=once, cache=False
    )  # what was answered before proves nothing now
    async with Gateway(changed, environ=workspace.environ, home=home) as gateway:
        kept = settings.budgets.workspace != Limit() or (home / LEDGER_FILE).is_file()
        accounts = (gateway.lasting("workspace"),) if kept else ()
        clock = MachineClock()

        async def one(name: str) -> Tested:
            begun = clock.tick()
            try:
                reply = await gateway.test(name, key=f"test/{token_hex(8)}", accounts=accounts)
            except WindtunnelError as error:
                done = Tested(name, False, round(clock.tick() - begun, 3), error=error.as_dict())
            else:
                used = reply.usage
                done = Tested(
                    name, True, round(clock.tick() - begun, 3), reply.model, reply.label, reply.text,
                    used.input, used.output, reply.cost,
                )  # fmt: skip
            told(done)
            return done

        return list(await asyncio.gather(*(one(name) for name in chosen)))
