"""What a scenario may set. Behaviour is read from `context` in every turn, so a fork may change it; what
describes a nation at the start (`nations`) counts only before the first turn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.world import Context
from windtunnel.worlds.economy.state import Terms

Rate = Annotated[float, Meta(ge=0.0, le=1.0)]
ShockSize = Annotated[float, Meta(ge=-0.5, le=0.5)]
Memory = Annotated[float, Meta(ge=0.0, le=0.99)]


class NationStart(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One nation before the first turn."""

    people: Annotated[int, Meta(ge=10, le=1_000_000, description="Households.")] = 200
    firms: Annotated[int, Meta(ge=2, le=10_000, description="Firms.")] = 20
    productivity: Annotated[
        float, Meta(ge=0.05, le=20.0, description="Output of a household, over the default.")
    ] = 1.0
    debt: Annotated[float, Meta(ge=0.0, le=4.0, description="Public debt over a year's output.")] = 0.5
    spending: Annotated[
        float, Meta(ge=0.0, le=0.6, description="Public purchases over potential output.")
    ] = 0.20
    tax: Annotated[float, Meta(ge=0.0, le=0.6, description="Tax rate on all income.")] = 0.24
    tariff: Annotated[float, Meta(ge=0.0, le=2.0, description="Tariff on every partner.")] = 0.0
    peg: Annotated[str, Meta(description="The nation whose currency the rate is fixed to; none floats.")] = ""
    reserves: Annotated[
        float, Meta(ge=0.0, le=4.0, description="Foreign exchange reserves over a quarter's output.")
    ] = 0.2
    currency: Annotated[
        float, Meta(ge=0.2, le=5.0, description="The currency's value over what trade would give it.")
    ] = 1.0


class Shock(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A blow: to what people want to spend (demand), to what work yields (supply), to what banks lend
    (credit), or to what the world wants to hold of a currency (currency). It fades by itself.

    The body of an event of kind `shock` has exactly these fields; no `nations` means all of them.
    """

    type: Literal["demand", "supply", "credit", "currency"]
    size: ShockSize
    nations: tuple[str, ...] = ()


class PlannedShock(Shock, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A shock in the scenario's own parameters: it strikes in this turn."""

    turn: Annotated[int, Meta(ge=1)]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A turn is a quarter: rates are per turn unless they say otherwise."""

    model: Annotated[
        Literal["nations", "sim"],
        Meta(description="`sim` is Godley and Lavoie's smallest model, played on the same books."),
    ] = "nations"
    nations: Annotated[
        dict[str, NationStart], Meta(description="Nations that differ from the default, by agent id.")
    ] = field(default_factory=dict)
    shocks: Annotated[tuple[PlannedShock, ...], Meta(description="Shocks planned by turn.")] = ()
    growth: Annotated[float, Meta(ge=-0.05, le=0.05, description="Trend growth of productivity.")] = 0.004
    productivity_noise: Annotated[
        float, Meta(ge=0.0, le=0.05, description="Standard deviation of productivity growth.")
    ] = 0.002
    demand_noise: Annotated[
        float, Meta(ge=0.0, le=0.1, description="Standard deviation of what people want to spend.")
    ] = 0.008
    shock_memory: Annotated[Memory, Meta(description="What is left of a shock a turn later.")] = 0.88

    spend_income: Annotated[Rate, Meta(description="Share of disposable income that is consumed.")] = 0.7
    spend_wealth: Annotated[Rate, Meta(description="Share of deposits that is consumed.")] = 0.12
    saving_response: Annotated[
        float, Meta(ge=0.0, le=20.0, description="How a point of real interest cuts what is consumed.")
    ] = 2.5
    benefit: Annotated[Rate, Meta(description="Unemployment benefit over the net wage.")] = 0.4
    openness: Annotated[
        float, Meta(ge=0.0, le=0.8, description="Share bought abroad when all prices are equal.")
    ] = 0.2
    elasticity: Annotated[
        float, Meta(ge=1.1, le=8.0, description="How easily one nation's goods replace another's.")
    ] = 2.0
    variety: Annotated[
        float, Meta(ge=1.5, le=20.0, description="How easily one firm's goods replace another's.")
    ] = 6.0

    markup: Annotated[float, Meta(ge=0.05, le=2.0, description="Price over unit labour cost, less one.")] = (
        0.35
    )
    price_speed: Annotated[Rate, Meta(description="Share of the gap to its target that a price closes.")] = (
        0.35
    )
    price_pressure: Annotated[Rate, Meta(description="Price target's response to orders over supply.")] = 0.3
    stock_target: Annotated[Rate, Meta(description="Goods that firms want in stock, over orders.")] = 0.25
    order_memory: Annotated[
        Memory, Meta(description="Weight of old expectations in what firms reckon with.")
    ] = 0.5

    separation: Annotated[Rate, Meta(description="Share of workers who leave their job by themselves.")] = (
        0.05
    )
    matching: Annotated[
        float, Meta(ge=0.3, le=10.0, description="How easily vacancies and those who look for work meet.")
    ] = 1.6
    firing_speed: Annotated[Rate, Meta(description="Share of the staff too many that is let go.")] = 0.5
    wage_raise: Annotated[
        Rate, Meta(description="What a firm adds to wages when it finds nobody for its vacancies.")
    ] = 0.02
    wage_slack: Annotated[
        Rate, Meta(description="What a firm holds back for each idle hand in ten that it sees in the street.")
    ] = 0.004
    wage_cut: Annotated[Rate, Meta(description="The largest cut of a wage.")] = 0.005

    capital_output: Annotated[
        float, Meta(ge=1.0, le=40.0, description="Capital needed for one unit of output a turn.")
    ] = 6.0
    depreciation: Annotated[Rate, Meta(description="Capital that wears out.")] = 0.015
    investment_speed: Annotated[
        Rate, Meta(description="Share of the gap to the capital they want that firms close.")
    ] = 0.04
    investment_response: Annotated[
        float, Meta(ge=0.0, le=20.0, description="How a point of real loan rate cuts the capital wanted.")
    ] = 4.0
    loan_share: Annotated[Rate, Meta(description="Share of investment that firms pay by loans.")] = 0.5
    leverage: Annotated[
        float, Meta(ge=0.0, le=2.0, description="Ceiling of loans over the value of a firm.")
    ] = 0.6
    amortisation: Annotated[Rate, Meta(description="Share of loans paid back.")] = 0.03
    payout: Annotated[Rate, Meta(description="Share of cash beyond need that is paid to owners.")] = 0.6

    inflation_target: Annotated[float, Meta(ge=0.0, le=0.05, description="The central bank's target.")] = (
        0.005
    )
    neutral_rate: Annotated[float, Meta(ge=0.0, le=0.05, description="Real rate at rest.")] = 0.005
    max_rate: Annotated[float, Meta(ge=0.0, le=0.25, description="Ceiling of the policy rate.")] = 0.04
    rate_step: Annotated[Rate, Meta(description="Largest change of the policy rate in a turn.")] = 0.005
    credibility: Annotated[
        Rate, Meta(description="Weight of the target in what inflation people expect.")
    ] = 0.6
    expectation_memory: Annotated[Memory, Meta(description="Weight of the past in what they felt.")] = 0.75
    loan_spread: Annotated[float, Meta(ge=0.0, le=0.1, description="Loan rate above policy rate.")] = 0.006
    deposit_share: Annotated[Rate, Meta(description="Deposit rate over the policy rate.")] = 0.4
    bank_capital: Annotated[
        float, Meta(ge=0.01, le=0.5, description="Own funds over loans below which a bank lends less.")
    ] = 0.08

    service_limit: Annotated[
        float,
        Meta(ge=0.01, le=1.0, description="Share of revenue for interest at which lenders fear a default."),
    ] = 0.27
    haircut: Annotated[Rate, Meta(description="What holders lose of their bonds in a default.")] = 0.6
    budget_step: Annotated[Rate, Meta(description="Largest change of spending and tax in a turn.")] = 0.02
    tariff_step: Annotated[
        float, Meta(ge=0.0, le=2.0, description="Largest change of a tariff in a turn.")
    ] = 0.10

    dealer: Annotated[
        float, Meta(ge=0.05, le=4.0, description="Currency the dealer holds, over a quarter's output.")
    ] = 0.5
    exchange_speed: Annotated[
        Rate, Meta(description="How a currency falls for each share of it the dealer holds too much.")
    ] = 0.25
    exchange_response: Annotated[
        float,
        Meta(ge=0.0, le=40.0, description="How a point of interest raises what the world wants to hold."),
    ] = 4.0

    game_master: Annotated[
        int,
        Meta(ge=0, le=1000, description="A model may cause one shock every so many turns; 0 is never."),
    ] = 0
    budget_judge: Annotated[bool, Meta(description="A model judges budgets for recklessness.")] = False

    noise_of_statistics: Annotated[
        float, Meta(ge=0.0, le=0.1, description="Deviation of first releases from what is final.")
    ] = 0.004


def parameters(context: Context) -> Parameters:
    """Typed by the run; a world played without any has the defaults."""
    return typed(context.parameters)


def typed(given: Any) -> Parameters:
    return given if type(given) is Parameters else msgspec.convert(given or {}, Parameters)


def terms(p: Parameters) -> Terms:
    return Terms(p.inflation_target, p.neutral_rate, p.deposit_share, p.variety)
