"""The households of `crowd` one by one, as one would write them in Mesa: what the crowd does in arrays.

In a quarter each household may lose or leave its job, looks for another one, is paid or supported, is taxed,
and decides what to spend out of income and wealth: by the crowd's own rule and numbers. Around them stands no
more than lets money go round, in whole cents: firms with staff, prices and owners, and a state that spends
what it takes. No bank, no machines, no trade, no books: all of these ours has besides.

Each household is activated once a quarter, in a fixed order, and pays into one market whose takings the firms
share. Shuffling, a walk from shop to shop, or several activations a quarter would all cost Mesa more.

Imported late, and only where Mesa is.
"""

from __future__ import annotations

import math

import mesa  # type: ignore[import-not-found, unused-ignore]

from windtunnel.worlds.economy.parameters import Parameters

WAGE = 10_000  # cents a quarter for one unit of skill, before the first
TAX = 0.24
AT_WORK = 0.94  # of the households, before the first quarter
CUSHION = 0.2  # of all households without work: the state keeps what they would cost it
BENEFIT = 0.4  # over the net wage
LEAVE, FIRE, MEET = 0.05, 0.5, 0.75  # who leaves, who is let go of those too many, who meets an employer
RAISE, SLACK, CUT = 0.02, 0.04, 0.005  # of wages: where nobody is found, where many are idle, at most
MARKUP, PRICE_SPEED, VARIETY = 0.35, 0.3, 6.0
MEMORY, PAYOUT = 0.5, 0.6
METRICS = {"wealth": "cash", "income": "income"}  # of each household, as the crowd's


class Firm(mesa.Agent):  # type: ignore[misc, unused-ignore]
    """Wants staff for the orders it reckons with; one unit of skill makes one good."""

    def __init__(self, model: Town) -> None:
        super().__init__(model)
        usual = AT_WORK * model.households / model.firms
        self.wage, self.staff = float(WAGE), 0.0
        self.fires, self.places, self.filled = 0.0, 0, 0
        self.price = self.wage * (1.0 + MARKUP)
        self.cash = int(1.5 * usual * self.wage)
        self.orders = usual

    def plan(self) -> None:
        """Pay and prices, staff to let go and places to fill, and what is left over for the owners."""
        model = self.model
        short = 1.0 - self.filled / self.places if self.places else 0.0
        self.wage *= 1.0 + max(RAISE * short - SLACK * model.unemployment, -CUT)
        self.price += PRICE_SPEED * (self.wage * (1.0 + MARKUP) - self.price)
        spare = self.staff - self.orders
        self.fires = FIRE * spare / self.staff if spare > 0.0 else 0.0
        self.places, self.filled = int(max(-spare, 0.0) + model.luck()), 0
        dividends = int(PAYOUT * max(self.cash - 1.1 * self.staff * self.wage, 0.0))
        self.cash -= dividends
        model.dividends += dividends

    def sell(self, takings: int) -> None:
        self.cash += takings
        self.orders = MEMORY * self.orders + (1.0 - MEMORY) * takings / self.price


class Household(mesa.Agent):  # type: ignore[misc, unused-ignore]
    def __init__(self, model: Town, number: int) -> None:
        super().__init__(model)
        p = model.rules
        self.skill = 0.5 + (number * 7919 % model.households) / model.households
        self.stake = self.skill**2
        income = WAGE * (1.0 + MARKUP) * (1.0 - TAX) * self.skill
        self.income = int(income)
        self.cash = int((1.0 - p.spend_income) / p.spend_wealth * income)  # at which it saves nothing
        self.firm: Firm | None = None

    def live(self) -> None:
        """One quarter. What it would like to spend it decides by what it has and last earned."""
        model, firm = self.model, self.firm
        wish = spending(model.rules, self.income, self.cash)
        if firm is not None and model.luck() < LEAVE + firm.fires:
            firm.staff -= self.skill
            firm = self.firm = None
        if firm is None:
            model.idle += 1
            if model.hiring and model.luck() < MEET:
                firm = self.join(model.hiring)
        share = int(model.dividend * self.stake)
        model.dividends -= share
        if firm is None:
            benefit = min(model.benefit, model.treasury)
            model.treasury -= benefit
            tax = int(share * TAX)
            income = share - tax + benefit
        else:
            pay = min(int(firm.wage * self.skill), firm.cash)
            firm.cash -= pay
            tax = int((share + pay) * TAX)
            income = share + pay - tax
        model.treasury += tax
        self.income = income
        cash = self.cash + income
        spent = min(wish, cash)
        model.market += spent
        self.cash = cash - spent

    def join(self, hiring: list[Firm]) -> Firm:
        """One of the firms that still have a place, each as likely as the others."""
        number = int(self.model.luck() * len(hiring))
        firm = self.firm = hiring[number]
        firm.staff += self.skill
        firm.filled += 1
        if firm.filled == firm.places:
            hiring[number] = hiring[-1]
            hiring.pop()
        return firm


def spending(p: Parameters, income: int, cash: int) -> int:
    """The crowd's buffer-stock rule, at the real rate at which saving is as good as spending."""
    return int(p.spend_income * income + p.spend_wealth * cash)


class Town(mesa.Model):  # type: ignore[misc, unused-ignore]
    def __init__(self, households: int, firms: int, rules: Parameters) -> None:
        super().__init__(seed=1)
        self.households, self.firms, self.rules = households, firms, rules
        self.luck = self.random.random
        self.market = self.dividends = self.idle = 0
        self.dividend = self.gdp = 0.0
        self.unemployment = 1.0 - AT_WORK
        self.benefit = int(BENEFIT * WAGE * (1.0 - TAX))
        self.treasury = self.cushion()
        self.hiring: list[Firm] = []
        self.makers = list(Firm.create_agents(self, firms))
        self.people = Household.create_agents(self, households, list(range(households)))
        for number, one in enumerate(self.people):
            if number < AT_WORK * households:
                one.firm = self.makers[number % firms]
                one.firm.staff += one.skill
        self.stakes = math.fsum(one.stake for one in self.people)
        self.data = mesa.DataCollector(
            {"unemployment": "unemployment", "gdp": "gdp"},
            agenttype_reporters={Household: METRICS},
        )

    def cushion(self) -> int:
        return int(CUSHION * self.households * self.benefit)

    def step(self) -> None:
        for firm in self.makers:
            firm.plan()
        self.hiring = [firm for firm in self.makers if firm.places]
        self.dividend, self.idle = self.dividends / self.stakes, 0
        self.people.do("live")
        self.unemployment = self.idle / self.households
        self.benefit = int(BENEFIT * self.makers[0].wage * (1.0 - TAX))
        purchases = max(self.treasury - self.cushion(), 0)
        self.treasury -= purchases
        self.share_out(self.market + purchases)
        self.data.collect(self)

    def share_out(self, takings: int) -> None:
        """The market's takings, to each firm by its price; what rounding leaves waits for the next."""
        weights = [firm.price ** (1.0 - VARIETY) for firm in self.makers]
        whole = math.fsum(weights)
        self.market = takings
        for firm, weight in zip(self.makers, weights, strict=True):
            part = int(takings * (weight / whole))
            firm.sell(part)
            self.market -= part
        self.gdp = takings / self.makers[0].price
