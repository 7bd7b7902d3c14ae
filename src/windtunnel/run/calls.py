"""The models that a run asks: every call an effect of the kind `model`, paid from the run's own account.

A reply is durable before it is used, by the kernel. What stands here is the rest: the account as the run's
operations tell it (so that it is exact after a crash), every attempt noted there, what `house` answers, and
what becomes of a call that nobody answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from windtunnel.codec import decode_body
from windtunnel.errors import BudgetReached, EffectFailed, ModelError, ModelSetup
from windtunnel.models.hub import Hub
from windtunnel.models.talk import Ask
from windtunnel.run.effects import Halted
from windtunnel.run.tape import Tape
from windtunnel.world import Call

if TYPE_CHECKING:
    from windtunnel.models.budget import Account, Amount

OFTEN = 200  # attempts between two balances, so that a resume reads no more than that
# The prompt itself is at fault: asked again it would fail again, so the failure is an answer.
OF_THE_PROMPT = ("context", "refusal", "output")
ATTEMPT, DOUBT, BALANCE, BUDGET = "model_attempt", "model_doubt", "model_balance", "budget"


class ModelCalls:
    def __init__(self, hub: Hub, tape: Tape) -> None:
        self.hub, self._tape = hub, tape
        self._offers: dict[str, tuple[Any, bool]] = {}
        self._accounts: list[Account] | None = None
        self._cut: set[str] = set()  # calls that were stopped while they lived, and reserved as such
        self._attempts = 0

    def offer(self, path: str, house: Any, vital: bool) -> None:
        """What goes with the next call of this path and is no part of what is recorded."""
        self._offers[path] = (house, vital)

    async def perform(self, request: Any, call: Call) -> Any:
        """The effect `model`: one reply, paid for."""
        from windtunnel.models.budget import Amount  # noqa: PLC0415 - only who asks a model needs it

        ask = msgspec.convert(request, Ask)
        house, vital = self._offers.get(call.actor, (None, True))
        gateway = self.hub.gateway
        try:
            accounts = self.accounts()
            if call.attempt > 1:  # nobody knows whether the provider was reached before the crash
                self._doubt(call.key, Amount() if call.key in self._cut else gateway.worst_case(ask))
            reply = await gateway.ask(
                ask,
                key=call.key,
                accounts=accounts,
                note=self._note,
                run=self._tape.run_id,
                house=house,
            )
        except ModelError as error:
            if vital and error.data.get("trigger") not in OF_THE_PROMPT:
                raise Halted(error) from error
            raise EffectFailed(error.message, where=error.where, remedy=error.remedy) from error
        except (BudgetReached, ModelSetup) as error:
            raise Halted(error) from error
        return reply

    # --- the account ---

    def accounts(self) -> list[Account]:
        """The run's own, rebuilt from its operations when first asked for, and those above it."""
        if self._accounts is None:
            money, earlier = self._told()
            limited = money is not None or self.hub.settings.budgets.run.money is not None
            remedy = (
                f"windtunnel resume {self._tape.run_id} --budget USD goes on with more" if limited else ""
            )
            purse = self.hub.gateway.purse(self._tape.run_id, earlier, money=money, remedy=remedy)
            self._accounts = [purse, *self.hub.above()]
        return self._accounts

    def _told(self) -> tuple[float | None, list[tuple[Amount, Amount]]]:
        """What the operations say: the budget that was set, and what calls cost and still reserve."""
        from windtunnel.models.budget import Amount  # noqa: PLC0415 - only who asks a model needs it

        store, run_id = self._tape.store, self._tape.run_id
        set_ = store.last_operation(run_id, BUDGET)
        balance = store.last_operation(run_id, BALANCE)
        earlier = []
        if balance is not None:
            body = decode_body(balance.body)
            earlier.append((Amount(*body["spent"]), Amount(*body["doubtful"])))
        for one in store.operations(run_id, after=balance.seq if balance is not None else -1):
            if one.kind in (ATTEMPT, DOUBT):
                body = decode_body(one.body)
                doubt = body.get("doubt", {})
                if body.get("outcome") == "cut":
                    self._cut.add(body["key"])
                else:
                    self._cut.discard(body["key"])
                cost = Amount(body.get("cost", 0), body.get("tokens", 0))
                earlier.append((cost, Amount(doubt.get("money", 0), doubt.get("tokens", 0))))
        return (decode_body(set_.body)["money"] if set_ is not None else None), earlier

    def balance(self) -> None:
        """Write down how the account stands."""
        if self._accounts is not None and self._attempts:
            purse: Any = self._accounts[0]
            self._tape.operate(BALANCE, spent=list(purse.spent), doubtful=list(purse.doubtful))
            self._attempts = 0

    def _doubt(self, key: str, amount: Amount) -> None:
        """The call is asked again. What its last attempt may have cost is reserved: once, so nothing if that
        attempt was stopped in a process that lived to note it."""
        self._cut.discard(key)
        purse: Any = self.accounts()[0]
        purse.doubtful = purse.doubtful.plus(amount)
        self._note(DOUBT, key=key, doubt={"money": amount.money, "tokens": amount.tokens})

    def _note(self, kind: str, /, **body: Any) -> None:
        """An attempt belongs to operations. It is durable with its reply; one that brought none, at once."""
        self._tape.operate(kind, **body)
        self._attempts += kind in (ATTEMPT, DOUBT)
        if self._attempts >= OFTEN:
            self.balance()
        if kind != ATTEMPT or "doubt" in body or body["outcome"] not in ("ok", "truncated"):
            self._tape.flush()
