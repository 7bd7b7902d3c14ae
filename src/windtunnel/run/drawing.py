"""A run's panels after a turn: rows out of its state, queries, metrics and record, shaped for a page.

What is wrong with one panel is said in its place, and the others are drawn all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from windtunnel.codec import decode_body
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.journal import Effect, Entry, Store
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import whole
from windtunnel.panels import Ask, At, Chat, Curves, Journal, Panel, Scores, Source
from windtunnel.panels.paths import WIDEST, Row, rows_at
from windtunnel.panels.shapes import CurvesData, Data, Drawn, Part, Series
from windtunnel.panels.shaping import shaped
from windtunnel.run.entries import AppliedEntry, DecidedEntry, Judged, MailTaken, read
from windtunnel.run.player import Player
from windtunnel.run.turn import settled
from windtunnel.world import WORLD, Actor

EACH = 24  # repetitions of a panel
SCANNED = 20_000  # entries that a panel looks through
SERIES = 60
LOOKED = 1_000_000  # rows that a source goes through, to keep its last
Finals: TypeAlias = Mapping[str, Mapping[str, Any]]
_Told: TypeAlias = tuple[str, str, str, Any, Any]  # what, kind, actor, who could see it, body


class Drawing:
    """The panels of one run, as it stands with `player`; its store must be open."""

    def __init__(self, player: Player, store: Store) -> None:
        self.player, self.turn = player, player.tape.turn
        self.world, self.state = player.world, player.frame.state
        self.lineage = Lineage(store, player.run_id)
        self.store = store
        self._scores: dict[int, Finals] = {}

    async def draw(self, only: str = "") -> list[Drawn]:
        """All panels of the world, or the one of that id."""
        panels = [one for one in self.world.panels if only in ("", one.id)]
        if only and not panels:
            known = ", ".join(one.id for one in self.world.panels) or "none"
            raise NotFound(
                f"the world {self.world.name!r} has no panel {only!r}",
                where="panel",
                remedy=f"there are: {known}",
            )
        return [Drawn(msgspec.to_builtins(one), await self.parts(one)) for one in panels]

    async def parts(self, panel: Panel) -> list[Part]:
        if not panel.each:
            return [await self._part(panel, None)]
        seats = self.player.cast.seats.values()
        agents = [seat.actor for seat in seats if seat.actor.role == panel.each]
        return [await self._part(panel, agent) for agent in agents[:EACH]]

    async def _part(self, panel: Panel, agent: Actor | None) -> Part:
        made = Part(agent.id if agent else None, str(type(panel.source).__struct_config__.tag))
        try:
            made.data = await self._data(panel, agent)
        except WindtunnelError as error:
            made.error = f"{error.message}; {error.remedy}" if error.remedy else error.message
        except Exception as error:  # noqa: BLE001 - a world's query may raise anything: it is told
            made.error = f"{type(error).__name__}: {error}"[:300]
        return made

    async def _data(self, panel: Panel, agent: Actor | None) -> Data:
        if isinstance(panel, Curves):
            return self._curves(panel.source, agent)
        rows = await self._rows(panel.source, agent)
        before: dict[tuple[str, str], Any] = {}
        if isinstance(panel.source, Scores) and self.turn > 1:
            earlier = self.scores(self.turn - 1)
            before = {(who, name): value for who, table in earlier.items() for name, value in table.items()}
        data = shaped(panel, rows, before)
        if isinstance(panel, Chat) and panel.answers:
            data.questions = [effect.name for effect in self._open(("questions",))]  # type: ignore[union-attr]
        return data

    # --- rows ---

    async def _rows(self, source: Source, agent: Actor | None) -> Sequence[Row]:
        if isinstance(source, Scores):
            return list(self._scored(source, agent))
        if isinstance(source, At):
            path = source.path.replace("{agent}", _escaped(agent.id, source.path)) if agent else source.path
            return _bounded(rows_at(self.state, path))
        if isinstance(source, Ask):
            return await self._asked(source, agent)
        if isinstance(source, Journal):
            return self._told(source, agent)
        return [Row((), _waits(effect, self.store)) for effect in self._open(source.what)]

    def scores(self, turn: int) -> Finals:
        """Metrics after a turn; a crowd's are told by their mean."""
        if turn not in self._scores:
            table: dict[str, dict[str, Any]] = {}
            for _, who, name, value in self.lineage.metrics(after=turn - 1, upto=turn):
                table.setdefault(who, {})[name] = value
            self._scores[turn] = table
        return self._scores[turn]

    def _scored(self, source: Scores, agent: Actor | None) -> Iterator[Row]:
        table = self.scores(self.turn)
        seats = self.player.cast.seats
        if source.agents:
            wanted = list(source.agents)
        elif agent is not None:
            wanted = [agent.id]
        else:
            wanted = [who for who in table if who != WORLD]
        if source.role:
            wanted = [who for who in wanted if who in seats and seats[who].actor.role == source.role]
        for who in wanted:
            found = {name: table[who].get(name) for name in source.names} if who in table else {}
            if any(value is not None for value in found.values()):
                yield Row((who,), found)

    def _curves(self, source: Scores, agent: Actor | None) -> CurvesData:
        series = [Series(row.names[0], name) for row in self._scored(source, agent) for name in row.value
                  if row.value[name] is not None]  # fmt: skip
        return CurvesData(series=series[:SERIES], more=max(0, len(series) - SERIES))

    async def _asked(self, source: Ask, agent: Actor | None) -> Sequence[Row]:
        function = self.world.queries.get(source.query)
        if function is None:
            raise UsageError(f"{self.world.name} has no query {source.query!r}", where="query")
        seats = [seat.actor for seat in self.player.cast.seats.values()]
        if agent is not None:
            actors = [agent]
        elif source.role:
            actors = [one for one in seats if one.role == source.role]
        else:
            actors = seats[:1]
        rows: list[Row] = []
        for actor in actors[:EACH]:
            answer = _by_name(await settled(function(self.state, actor, **source.arguments)))
            first = (actor.id,) if source.role and agent is None else ()
            rows += [Row((*first, *row.names), row.value) for row in _bounded(rows_at(answer, source.path))]
        return rows[:WIDEST]

    # --- the record ---

    def _told(self, source: Journal, agent: Actor | None) -> Sequence[Row]:
        """The newest that fit, oldest first: looked for from the turn backwards."""
        wanted = _Wanted(source, agent)
        reach, found = 16, list[Row]()
        while True:
            first = max(0, self.turn - reach)
            found, seen = [], 0
            for entry in self.lineage.entries(self.lineage.near_end(first)):
                if entry.turn > self.turn or seen > SCANNED:
                    break
                seen += 1
                found += [Row((), row) for row in wanted.rows(entry)]
            if len(found) >= 1000 or first == 0 or seen * 4 > SCANNED:
                return found
            reach *= 4

    def _open(self, what: Sequence[str]) -> list[Effect]:
        return [
            effect
            for effect in self.store.waiting(self.player.run_id)
            if ("approvals" if effect.kind == "approval" else "questions") in what
        ]


class _Wanted:
    """Which entries a panel tells, and as what."""

    def __init__(self, source: Journal, agent: Actor | None) -> None:
        self.what, self.kinds = source.what, source.kinds
        self.agents = source.agents or ((agent.id,) if agent else ())

    def rows(self, entry: Entry) -> Iterator[dict[str, Any]]:
        for what, kind, actor, to, body in self._all(entry):
            if (not self.kinds or kind in self.kinds) and (not self.agents or actor in self.agents):
                yield {"turn": entry.turn, "what": what, "kind": kind, "actor": actor, "to": to, "body": body}

    def _all(self, entry: Entry) -> Iterator[_Told]:
        if entry.kind == "applied" and "events" in self.what:
            yield from _events(read(entry))
        if entry.kind == "decided" and "decisions" in self.what:
            yield from _decisions(read(entry))
        if entry.kind == "decided" and "verdicts" in self.what:
            refused = read(entry).refused.items()
            yield from (("verdict", one.label, actor, None, one.why) for actor, one in refused)
        if entry.kind == "judged" and "verdicts" in self.what:
            yield from _verdicts(read(entry))
        if entry.kind == "mail" and "mail" in self.what:
            yield _letter(read(entry))


def _events(said: AppliedEntry) -> Iterator[_Told]:
    for event in said.events:
        actor = event.get("actor") or WORLD
        yield "event", str(event.get("kind", "")), actor, event.get("visible_to"), event.get("body")


def _decisions(said: DecidedEntry) -> Iterator[_Told]:
    for actor, action in said.actions.items():
        if isinstance(action, dict):
            given = {name: value for name, value in action.items() if name != "type"}
            yield "decision", str(action.get("type", "")), actor, None, given
        else:
            yield "decision", "", actor, None, action


def _verdicts(said: Judged) -> Iterator[_Told]:
    """What was not simply accepted; of what people voted on, what came of it."""
    by_actor = said.verdicts if isinstance(said.verdicts, dict) else {}
    for actor, verdict in by_actor.items():
        if not isinstance(verdict, dict):
            continue
        kind, votes = str(verdict.get("kind", "")), verdict.get("votes")
        if isinstance(votes, dict):
            kind = str(votes.get("outcome", kind))
        if kind != "accept":
            yield "verdict", kind, actor, None, verdict.get("reason", "")
    for one in said.deferred:
        if isinstance(one, dict):
            words = "of an action that waited"
            yield "verdict", str(one.get("outcome", "")), str(one.get("actor", "")), None, words


def _letter(said: MailTaken) -> _Told:
    if said.kind == "event" and isinstance(said.body, dict):
        body = said.body
        return "mail", str(body.get("kind", "")), said.sender, body.get("visible_to"), body.get("body")
    return "mail", said.kind, said.sender, None, said.body


def _waits(effect: Effect, store: Store) -> dict[str, Any]:
    request = decode_body(whole(store, effect).request)
    asked = request if isinstance(request, dict) else {}
    held = asked.get("hold")
    terms: dict[str, Any] = held if isinstance(held, dict) else {}
    words = terms.get("summary") or terms.get("reason") or asked.get("question") or asked
    return {
        "turn": effect.turn,
        "what": "approval" if effect.kind == "approval" else "question",
        "kind": effect.kind,
        "actor": effect.actor,
        "to": None,
        "body": words,
        "name": effect.name,
        "risk": terms.get("risk"),
        "amount": terms.get("amount"),
        "unit": terms.get("unit"),
    }


def _escaped(agent: str, path: str) -> str:
    """An id may hold what a path means something by."""
    if path.startswith("/"):
        return agent.replace("~", "~0").replace("/", "~1")
    if "." in agent or agent == "*":
        raise UsageError(f"{agent!r} has a dot: write the path as /a/{{agent}}/b", where="path")
    return agent


def _bounded(rows: Iterator[Row]) -> list[Row]:
    """A long list is told by its end: what was added last matters most."""
    kept: deque[Row] = deque(maxlen=WIDEST)
    for seen, row in enumerate(rows):
        if seen == LOOKED:
            raise UsageError(f"there are more than {LOOKED:,} rows", where="path", remedy="a path to fewer")
        kept.append(row)
    return list(kept)


def _by_name(answer: Any) -> Any:
    """An answer in the form of a table, as rows by name, each by column."""
    if isinstance(answer, Mapping) and set(answer) == {"columns", "rows"}:
        rows = answer["rows"]
        named = rows.items() if isinstance(rows, Mapping) else ((str(i), row) for i, row in enumerate(rows))
        return {row: dict(zip(answer["columns"], cells, strict=False)) for row, cells in named}
    return answer
