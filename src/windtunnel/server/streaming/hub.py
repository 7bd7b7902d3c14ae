"""The hub of the streams: who is connected, what each is subscribed to, the heartbeat, the end.

One hub for a server. It stands on a workspace and on ports that whoever assembles the server plugs in: who a
connection is, what a principal may, how a state is read. It knows no line: `socket` and `sse` bring clients.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from windtunnel.config import Workspace
from windtunnel.control.bulletin import Bulletin
from windtunnel.control.catalog import find_run
from windtunnel.control.places import Readers
from windtunnel.control.watching import Watch
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Store
from windtunnel.server.streaming.asked import Ping, Subscribe, Unsubscribe
from windtunnel.server.streaming.boards import AllRuns, Boards, Watching
from windtunnel.server.streaming.client import REFUSED, RESTART, Client, item_of
from windtunnel.server.streaming.reader import Opener
from windtunnel.server.streaming.runs import ReadState, RunChannels

Who = Callable[[Any], Any]  # a connection; gives a principal, or raises. Sync or async
May = Callable[[Any, Any], None]  # a principal and a role: raises what says no
READER = "viewer"  # the role of who may follow runs


class StreamHub:
    def __init__(
        self,
        workspace: Workspace,
        *,
        who: Who,
        may: May,
        bulletin: Bulletin | None = None,
        watch: Watching | None = None,
        opener: Opener | None = None,
        read_state: ReadState | None = None,
    ) -> None:
        self.settings = workspace.settings.streams
        self.bulletin = bulletin or Bulletin()
        self._workspace, self._who, self._may = workspace, who, may
        self._readers, self._watched = Readers(workspace), Readers(workspace)  # neither waits for the other
        self._runs = RunChannels(self.settings, opener or self._open, read_state)
        self._all = AllRuns(self.settings, watch or Watch(workspace, self._watched))
        self._boards = Boards(self.bulletin)
        self._clients: dict[Client, Any] = {}  # with the connection of each
        self._beat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._runs.start()
        self._boards.start()
        self._beat = asyncio.get_running_loop().create_task(self._beats())

    async def stop(self) -> None:
        """Everybody hears that the server goes, and where they were."""
        for client in list(self._clients):
            client.drop("the server is going down", RESTART)
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        self._boards.stop()
        await self._all.stop()
        await self._runs.stop()
        self._readers.close()
        self._watched.close()

    @property
    def clients(self) -> int:
        return len(self._clients)

    @property
    def boards(self) -> list[str]:
        """The channels of the bulletin that somebody listens to."""
        return self._boards.heard

    # --- clients ---

    async def admit(self, connection: Any) -> Client:
        """A client for a connection, or the error that refuses it."""
        principal = await self._principal(connection)
        if len(self._clients) >= self.settings.clients:
            raise Crowded(
                f"{self.settings.clients} clients are connected already",
                where="[streams] clients",
                remedy="come back later",
            )
        client = Client(self.settings, principal)
        self._clients[client] = connection
        return client

    async def _principal(self, connection: Any) -> Any:
        principal = self._who(connection)
        if inspect.isawaitable(principal):
            principal = await principal
        self._may(principal, READER)
        return principal

    def leave(self, client: Client) -> None:
        client.leave()
        client.outbox.close()
        self._clients.pop(client, None)

    async def obey(self, client: Client, asked: Subscribe | Unsubscribe | Ping) -> None:
        if isinstance(asked, Ping):
            client.offer(item_of({"type": "pong", "ping": asked.ping}))
        elif isinstance(asked, Unsubscribe):
            if not client.leave_one(asked.unsubscribe):
                raise UsageError("this channel is not subscribed to", where=asked.unsubscribe)
            client.offer(item_of({"type": "unsubscribed", "channel": asked.unsubscribe}))
        else:
            await self.subscribe(client, asked)

    async def subscribe(self, client: Client, asked: Subscribe) -> None:
        """Subscribing again to the same channel changes how it is told."""
        channel, run_id = asked.subscribe, asked.run_id
        if run_id is not None:
            if not self._runs.follows(run_id):
                run_id = await asyncio.to_thread(self._named, run_id)
            channel = f"run:{run_id}"
        client.leave_one(channel)
        if client.full:
            raise UsageError(
                f"a client has at most {self.settings.subscriptions} subscriptions",
                where="[streams] subscriptions",
                remedy="unsubscribe from others first",
            )
        if run_id is not None:
            state = asked.every if asked.state else None
            await self._runs.subscribe(client, run_id, asked.view, asked.after, state=state)
        elif channel == "runs":
            await self._all.runs(client, asked.every, asked.after)
        elif channel == "approvals":
            await self._all.approvals(client, asked.after, words=asked.words)
        else:
            self._boards.subscribe(client, channel, asked.after)

    # --- the workspace ---

    def _named(self, run_id: str) -> str:
        return find_run(self._workspace, run_id).row.run_id

    @contextmanager
    def _open(self, run_id: str) -> Iterator[Store]:
        with self._readers.opened(find_run(self._workspace, run_id).location) as store:
            yield store

    # --- the heartbeat ---

    async def _beats(self) -> None:
        """Every so often a sign of life, and a look whether each is still who it was: keys expire."""
        heartbeat = item_of({"type": "heartbeat"})
        while True:
            await asyncio.sleep(self.settings.heartbeat)
            for client, connection in list(self._clients.items()):
                try:
                    await self._principal(connection)
                except WindtunnelError as error:
                    client.drop(error.message, REFUSED)
                else:
                    client.offer(heartbeat)


class Crowded(WindtunnelError):
    """As many clients as there may be."""

    code = "crowded"
