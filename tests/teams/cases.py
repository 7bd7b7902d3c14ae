"""One telling story for each pattern: a team, what its members answer, and who is late or fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from windtunnel.errors import ModelError
from windtunnel.models.talk import Reply, ToolCall
from windtunnel.teams import (
    ChatPrompts,
    Concurrent,
    FunctionMember,
    GroupChat,
    Handoff,
    HumanMember,
    Limits,
    Magentic,
    ModelMember,
    Sequential,
    Team,
    Turn,
    aggregate,
    managers,
    tool,
)
from windtunnel.testing.scripted import Scripted, calls


def price(good: str) -> int:
    """The price of a good."""
    return {"bread": 3, "wine": 12}[good]


def buy(good: str, count: int = 1) -> str:
    """Buy something."""
    return f"{count} {good} bought"


def ledger(
    speaker: str, instruction: str = "work", *, done: bool = False, loop: bool = False, moves: bool = True
) -> dict[str, Any]:
    return {
        "is_request_satisfied": {"answer": done, "reason": "r"},
        "is_in_loop": {"answer": loop, "reason": "r"},
        "is_progress_being_made": {"answer": moves, "reason": "r"},
        "next_speaker": {"answer": speaker, "reason": "r"},
        "instruction_or_question": {"answer": instruction, "reason": "r"},
    }


class Case(NamedTuple):
    team: Callable[[], Team]
    runtime: Callable[[], Scripted]
    status: str = "completed"


def sequential() -> Team:
    count = FunctionMember("counter", _count)
    writer = ModelMember("writer", "You write.", tools=[price, tool(buy, needs_approval=True)])
    return Sequential([writer, count, ModelMember("editor", "You edit.")], look_after=["writer"])


def _count(turn: Turn) -> int:
    return len(turn.text) + turn.chance("dice").below(6)


def sequential_runtime() -> Scripted:
    both = Reply(calls=(ToolCall("x", "price", {"good": "wine"}), ToolCall("x", "buy", {"good": "wine"})))
    return Scripted(
        {"writer": [both, "", "wine it is", "bread it is"], "editor": ["done"]},
        people={"writer": [True], "manager": [{"again": "too dear"}, "pass"]},
    )


def concurrent() -> Team:
    members = [
        ModelMember("quick"),
        ModelMember("thorough", tools=[price]),
        ModelMember("broken"),
        ModelMember("slow", tools=[price], deadline=5),
    ]
    return Concurrent(members, policy=2, aggregate=aggregate.Model())


def concurrent_runtime() -> Scripted:
    return Scripted(
        {
            "quick": ["three"],
            "thorough": [calls("price", good="bread"), calls("price", good="wine"), "fifteen"],
            "broken": [ModelError("503")],
            "slow": [calls("price", good="bread") for _ in range(6)] + ["late"] * 9,
            "manager": ["fifteen, says who looked"],
        },
        late={"slow": [0]},
    )


def group_chat() -> Team:
    members = [ModelMember("critic", "You doubt."), ModelMember("poet", "You write."), HumanMember("reader")]
    prompts = ChatPrompts(ask_user="Is a person needed?")
    return GroupChat(members, manager=managers.ModelManager(prompts=prompts))


def group_chat_runtime() -> Scripted:
    no, yes = {"answer": False, "reason": "no"}, {"answer": True, "reason": "yes"}
    return Scripted(
        {
            "manager": [
                *[no, {"next_speaker": "Poet", "reason": "a start"}],
                *[
                    yes,
                    no,
                    {"next_speaker": "nobody", "reason": "?"},
                    {"next_speaker": "critic", "reason": ""},
                ],
                *[no, no, {"next_speaker": "reader", "reason": "?"}],
                *[no, yes, "a poem"],
            ],
            "critic": ["weak"],
            "poet": ["roses are red"],
        },
        people={"manager": ["make it short"], "reader": ["I liked it"]},
    )


def handoff() -> Team:
    members = [
        ModelMember("triage", "You route.", tools=[price]),
        ModelMember("sales", "You sell.", tools=[tool(buy, needs_approval=True)]),
        HumanMember("customer"),
    ]
    routes = {"triage": {"sales": "to buy"}, "sales": {"customer": "to ask", "triage": "if lost"}}
    return Handoff(members, routes=routes)


def handoff_runtime() -> Scripted:
    first = Reply(
        "let me see",
        (
            ToolCall("a", "handoff_to_sales", {"reason": "wants bread"}),
            ToolCall("b", "price", {"good": "bread"}),
            ToolCall("c", "handoff_to_sales", {}),
        ),
    )
    return Scripted(
        {
            "triage": [first],
            "sales": [calls("handoff_to_customer", reason="how many?"), calls("buy", good="bread"), "sold"],
        },
        people={"customer": ["two"], "sales": [True]},
    )


def magentic() -> Team:
    members = [ModelMember("finder", "You find.", tools=[price]), ModelMember("writer", "You write.")]
    return Magentic(members, stalls=1, resets=1)


def magentic_runtime() -> Scripted:
    stuck = ledger("finder", moves=False)
    return Scripted(
        {
            "manager": [
                *["facts", "plan", ledger("finder"), stuck, stuck, "new facts", "new plan"],
                *["no json", ledger("nobody"), ledger("writer"), ledger("writer", done=True), "the answer"],
            ],
            "finder": [calls("price", good="bread"), "three", "still three"],
            "writer": ["it costs three"],
        }
    )


def late() -> Team:
    members = [ModelMember("finder", tools=[price], deadline=9), ModelMember("writer")]
    return Magentic(members, stalls=3)


def late_runtime() -> Scripted:
    rounds = [ledger("finder"), ledger("finder", "again"), ledger("finder"), ledger("", done=True)]
    return Scripted(
        {
            "manager": ["facts", "plan", *rounds, "the answer"],
            "finder": [calls("price", good="bread") for _ in range(7)] + ["too late"] * 9,
            "finder~1": [calls("price", good="wine"), "twelve"],
            "finder~2": ["twelve, as said"],
        },
        late={"finder": [0]},
    )


def nested() -> Team:
    desk = Concurrent(
        [ModelMember("a"), ModelMember("b", tools=[price])], name="desk", aggregate=aggregate.Vote()
    )
    return Sequential([ModelMember("asker"), desk, ModelMember("closer")], limits=Limits(calls=20))


def nested_runtime() -> Scripted:
    return Scripted(
        {
            "asker": ["how much?"],
            "desk/a": ["Three"],
            "desk/b": [calls("price", good="bread"), " three "],
            "closer": ["three it is"],
        }
    )


CASES = {
    "sequential": Case(sequential, sequential_runtime),
    "concurrent": Case(concurrent, concurrent_runtime),
    "group_chat": Case(group_chat, group_chat_runtime),
    "handoff": Case(handoff, handoff_runtime),
    "magentic": Case(magentic, magentic_runtime),
    "late": Case(late, late_runtime),
    "nested": Case(nested, nested_runtime),
}
