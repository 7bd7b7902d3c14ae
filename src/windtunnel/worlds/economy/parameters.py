"""What a scenario may set. Behaviour is read from `context` in every turn, so a fork may change it; what
describes a nation at the start (`nations`) counts only before the first turn."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Rate = Annotated[float, Meta(ge=0.0, le=1.0)]
ShockSize = Annotated[float, Meta(ge=-0.5, le=0.5)]


class NationStart(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One nation before the first turn."""

    labour: Annotated[float, Meta(ge=1.0, le=100_000.0, description="Labour force, in thousands.")] = 1000.0
    productivity: Annotated[
        float, Meta(ge=0.05, le=20.0, description="Goods made by a thousand people in a turn.")
    ] = 1.0
    debt: Annotated[float, Meta(ge=0.0, le=4.0, description="Public debt over a year's output.")] = 0.6
    spending: Annotated[
        float, Meta(ge=0.0, le=0.6, description="Public purchases over potential output.")
    ] = 0.20
    tax: Annotated[float, Meta(ge=0.0, le=0.6, description="Tax rate on all income.")] = 0.26
    tariff: Annotated[float, Meta(ge=0.0, le=2.0, description="Tariff on every partner.")] = 0.0


class Shock(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A blow to what people want to spend, or to what a day's work yields. It fades by itself.

    The body of an event of kind `shock` has exactly these fields; no `nations` means all of them.
    """

    type: Literal["demand", "supply"]
    size: ShockSize
    nations: tuple[str, ...] = ()


class PlannedShock(Shock, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A shock in the scenario's own parameters: it strikes in this turn."""

    turn: Annotated[int, Meta(ge=1)]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A turn is a quarter: rates are per turn unless they say otherwise."""

    nations: Annotated[
        dict[str, NationStart], Meta(description="Nations that differ from the default, by agent id.")
    ] = field(default_factory=dict)
    shocks: Annotated[tuple[PlannedShock, ...], Meta(description="Shocks planned by turn.")] = ()

    growth: Annotated[float, Meta(ge=-0.05, le=0.05, description="Trend growth of productivity.")] = 0.004
    productivity_noise: Annotated[
        float, Meta(ge=0.0, le=0.05, description="Standard deviation of productivity growth.")
    ] = 0.002
    demand_noise: Annotated[
        float, Meta(ge=0.0, le=0.1, description="Standard deviation of what households spend.")
    ] = 0.006
    confidence_memory: Annotated[
        float, Meta(ge=0.0, le=0.99, description="What is left of a demand shock a turn later.")
    ] = 0.88
    supply_memory: Annotated[
        float, Meta(ge=0.0, le=0.99, description="What is left of a supply shock a turn later.")
    ] = 0.92

    spend_income: Annotated[Rate, Meta(description="Share of disposable income that is consumed.")] = 0.87
    spend_wealth: Annotated[Rate, Meta(description="Share of deposits that is consumed.")] = 0.025
    benefit: Annotated[Rate, Meta(description="Unemployment benefit over the wage.")] = 0.4
    openness: Annotated[
        float, Meta(ge=0.0, le=0.8, description="Share bought abroad when all prices are equal.")
    ] = 0.2
    elasticity: Annotated[
        float, Meta(ge=1.1, le=8.0, description="How easily one nation's goods replace another's.")
    ] = 2.5

    markup: Annotated[float, Meta(ge=0.05, le=2.0, description="Price over unit labour cost, less one.")] = (
        0.35
    )
    price_speed: Annotated[Rate, Meta(description="Share of the gap to its target that a price closes.")] = (
        0.3
    )
    price_pressure: Annotated[Rate, Meta(description="Price target's response to orders over capacity.")] = (
        0.2
    )
    hiring_speed: Annotated[Rate, Meta(description="Share of the gap to its target that staff closes.")] = 0.4
    overtime: Annotated[Rate, Meta(description="Output beyond normal hours when orders exceed them.")] = 0.05
    wage_pressure: Annotated[
        Rate, Meta(description="Wage growth per point of unemployment below natural.")
    ] = 0.1
    natural_unemployment: Annotated[
        float, Meta(ge=0.01, le=0.3, description="Unemployment at which wages follow productivity.")
    ] = 0.05

    capital_output: Annotated[
        float, Meta(ge=1.0, le=40.0, description="Capital needed for one unit of output a turn.")
    ] = 8.0
    depreciation: Annotated[Rate, Meta(description="Capital that wears out.")] = 0.0125
    accelerator: Annotated[Rate, Meta(description="Investment's response to use of capital.")] = 0.03
    investment_rate_response: Annotated[
        float, Meta(ge=0.0, le=5.0, description="Investment's response to the real rate.")
    ] = 0.5
    loan_share: Annotated[Rate, Meta(description="Share of investment paid by new loans.")] = 0.3
    amortisation: Annotated[Rate, Meta(description="Share of loans paid back.")] = 0.02
    leverage: Annotated[
        float, Meta(ge=0.0, le=2.0, description="Ceiling of loans over the value of capital.")
    ] = 0.5
    payout: Annotated[Rate, Meta(description="Share of cash beyond need that is paid to owners.")] = 0.6

    inflation_target: Annotated[float, Meta(ge=0.0, le=0.05, description="The central bank's target.")] = (
        0.005
    )
    neutral_rate: Annotated[float, Meta(ge=0.0, le=0.05, description="Real rate at rest.")] = 0.005
    max_rate: Annotated[float, Meta(ge=0.0, le=0.1, description="Ceiling of the policy rate.")] = 0.03
    loan_spread: Annotated[float, Meta(ge=0.0, le=0.1, description="Loan rate above policy rate.")] = 0.005

    debt_ceiling: Annotated[
        float,
        Meta(ge=0.0, le=5.0, description="Debt over a year's output beyond which no deficit is financed."),
    ] = 1.5
    budget_step: Annotated[Rate, Meta(description="Largest change of spending and tax in a turn.")] = 0.02
    tariff_step: Annotated[
        float, Meta(ge=0.0, le=2.0, description="Largest change of a tariff in a turn.")
    ] = 0.10
