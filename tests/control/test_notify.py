"""Webhooks: told at least once, signed, tried again, never in the way of a run."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.control.receiver import Receiver
from tests.databases import BOTH
from tests.run.clocks import HandClock
from tests.run.toy import always, make, scene
from windtunnel.config import Workspace, read_settings
from windtunnel.config.notify import EVENTS, Webhook
from windtunnel.control import Control, all_runs
from windtunnel.control import webhooks as sending
from windtunnel.control.catalog import opened
from windtunnel.control.notify import ATTEMPTS, OLDEST, Notifier, notifier
from windtunnel.errors import UsageError
from windtunnel.journal import Status
from windtunnel.journal.database import SqliteDatabase
from windtunnel.world import hold

SECRET = "a secret that is long enough"


class Office:
    """A workspace whose windtunnel.toml names webhooks, and the verbs over it."""

    STORE = ""  # where all runs lie
    outboxes: ClassVar[list[Notifier]] = []

    def __init__(self, folder: Path, toml: str, rule: Any = None) -> None:
        (folder / "windtunnel.toml").write_text(toml + self.STORE)
        self.clock, self.world = HandClock(), make(rule)
        self.workspace = Workspace(folder)
        self.control = Control(self.workspace, lambda _: self.world, clock=self.clock)

    def play(self, **more: Any) -> Any:
        found = self.control.create(self.world, scene("a", "b", **{"turns": 3, **more}))
        return self.resume(found)

    def resume(self, found: Any) -> Any:
        (done,) = asyncio.run(self.control.play([self.control.find(found.row.run_id)]))
        return done

    def outbox(self) -> Notifier:
        made = notifier(self.workspace, self.clock)
        assert made is not None
        self.outboxes.append(made)
        return made

    def sweep(self, outbox: Notifier) -> int:
        return outbox.sweep(all_runs(self.workspace), lambda found: opened(found, read_only=True))


def toml(*receivers: Receiver, **more: Any) -> str:
    words = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return "".join(f"[[notify.webhooks]]\nurl = {json.dumps(one.url)}\n{words}" for one in receivers)


@pytest.fixture(params=BOTH, autouse=True)
def kind(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        monkeypatch.setattr(Office, "STORE", f'[store]\nurl = "{url}"\n')
    yield
    while Office.outboxes:
        Office.outboxes.pop().close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def held(**terms: Any) -> Any:
    return always(hold("big", **terms), turn=2)


def test_a_run_that_parks_is_voted_on_and_ends_tells_each_of_it(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver), held(risk="high", approvers=2))
    done = office.play()
    assert done.row.status is Status.WAITING
    assert receiver.events == ["approval.waiting"]
    told = receiver.got[0].data
    assert (told["run_id"], told["effect"], told["risk"], told["needed"]) == (
        done.row.run_id, "2.validate.a.0", "high", 2,
    )  # fmt: skip
    office.control.vote(done.row.run_id, "", True, sender="x")
    voted = office.control.vote(done.row.run_id, "", True, sender="y", note="fine")
    office.resume(voted.found)
    assert receiver.events[0] == "approval.waiting"
    assert sorted(receiver.events[1:]) == ["approval.decided", "run.completed"]
    (decided,) = [got.data for got in receiver.got if got.event == "approval.decided"]
    assert (decided["status"], decided["by"], decided["note"]) == ("approved", ["x", "y"], "fine")
    assert len({got.id for got in receiver.got}) == 3


def test_a_delivery_is_signed_as_standard_webhooks_asks(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {SECRET: SECRET.encode(), "whsec_" + base64.b64encode(b"raw bytes").decode(): b"raw bytes"}
    for number, (secret, key) in enumerate(keys.items()):
        monkeypatch.setenv("HOOK_SECRET", secret)
        (folder := tmp_path / str(number)).mkdir()
        Office(folder, toml(receiver, secret_env="HOOK_SECRET", events=["run.completed"])).play()
        got = receiver.got[-1]
        signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
        expected = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
        assert got.headers["webhook-signature"] == f"v1,{expected}"
        assert got.headers["windtunnel-event"] == got.event == "run.completed"
        assert secret not in got.body.decode() + str(got.headers)


def test_a_secret_that_is_not_set_stops_no_run_and_is_sent_once_it_is(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(tmp_path, toml(receiver, secret_env="HOOK_SECRET"))
    assert office.play().row.status is Status.COMPLETED
    assert receiver.got == []
    assert "HOOK_SECRET" in caplog.text
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    office.clock.now += 10
    asyncio.run(office.outbox().deliver())
    assert receiver.events == ["run.completed"]


def test_a_kill_between_the_journal_and_the_outbox_loses_nothing(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver), held(expires_seconds=60.0))
    outbox = office.outbox()  # webhooks were set before
    found = office.control.create(office.world, scene("a", turns=3))
    asyncio.run(office.control.executor.play([_job(office, found)]))  # as a worker that died right after
    assert receiver.got == []
    assert office.sweep(outbox) == 1
    assert office.sweep(outbox) == 0
    asyncio.run(outbox.deliver())
    assert receiver.events == ["approval.waiting"]
    office.clock.now += 30
    assert office.sweep(outbox) == 0
    office.clock.now += 3600  # it expires, and nobody plays
    assert office.sweep(outbox) == 1
    asyncio.run(outbox.deliver())
    assert receiver.events == ["approval.waiting", "approval.expired"]
    office.resume(found)
    assert receiver.events == ["approval.waiting", "approval.expired", "run.completed"]


def _job(office: Office, found: Any) -> Any:
    from windtunnel.control import Job

    return Job(found.location, found.row.run_id, office.world)


def test_a_delivery_that_a_kill_cut_is_made_again(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver))
    dead, alive = office.outbox(), office.outbox()
    assert dead.tell("run.failed", "r:1", {"run_id": "r"}) == 1
    assert len(dead._claim()) == 1  # and here it dies
    asyncio.run(alive.deliver())
    assert receiver.got == []  # it may still be under way
    office.clock.now += 31
    asyncio.run(alive.deliver())
    assert receiver.events == ["run.failed"]


@pytest.mark.slow
def test_two_processes_do_not_send_the_same(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver))
    one, other = office.outbox(), office.outbox()
    for number in range(40):
        assert one.tell("run.failed", f"r:{number}", {}) == 1
        assert other.tell("run.failed", f"r:{number}", {}) == 0

    async def both() -> None:
        await asyncio.gather(one.deliver(), other.deliver())

    asyncio.run(both())
    assert len(receiver.got) == len({got.id for got in receiver.got}) == 40


@pytest.mark.parametrize("status", [500, 404, 302, 429])
def test_a_webhook_that_says_no_is_tried_again_with_the_same_id(tmp_path: Path, status: int) -> None:
    with Receiver(status, status) as receiver:
        office = Office(tmp_path, toml(receiver))
        assert office.play().row.status is Status.COMPLETED
        outbox = office.outbox()
        asyncio.run(outbox.deliver())
        assert len(receiver.got) == 1  # not before its pause is over
        for wait in (5, 10, 1000):
            office.clock.now += wait
            asyncio.run(outbox.deliver())
        assert len(receiver.got) == 3
        assert len({got.id for got in receiver.got}) == 1
        assert outbox.waiting() == 0


def test_one_that_never_answers_is_given_up_after_so_many_attempts(tmp_path: Path) -> None:
    with Receiver(*[500] * 100) as receiver:
        office = Office(tmp_path, toml(receiver))
        outbox = office.outbox()
        outbox.tell("run.failed", "r:1", {})
        for _ in range(ATTEMPTS + 5):
            last = asyncio.run(outbox.deliver())
            assert not last.errors or "127.0.0.1" in last.errors[0]
            assert "hook" not in str(last.errors)  # a path may be a secret
            office.clock.now += 4000
        assert len(receiver.got) == ATTEMPTS
        assert outbox.waiting() == 0


def test_one_that_hangs_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    with Receiver(0, 0) as stuck, Receiver() as well:
        office = Office(tmp_path, toml(stuck, well))
        assert office.play().row.status is Status.COMPLETED
        assert well.events == ["run.completed"]
        assert office.outbox().waiting() == 1


def test_nobody_there_is_no_error_of_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as gone:
        url = gone.url
    office = Office(tmp_path, f'[notify]\nwebhooks = [{{url = "{url}"}}]\n')
    assert office.play().row.status is Status.COMPLETED
    assert "again in 5 s" in caplog.text


def test_only_what_is_asked_for_is_told(tmp_path: Path) -> None:
    with Receiver() as approvals, Receiver() as runs:
        text = toml(approvals, events=["approval.*"]) + toml(runs, events=["run.completed"])
        office = Office(tmp_path, text, held())
        found = office.play()
        office.control.vote(found.row.run_id, "", False, sender="x")
        office.resume(found)
        assert sorted(approvals.events) == ["approval.decided", "approval.waiting"]
        assert runs.events == ["run.completed"]


def test_a_policy_says_who_is_told(tmp_path: Path) -> None:
    with Receiver() as desk, Receiver() as other:
        office = Office(tmp_path, toml(desk, name="desk") + toml(other, name="other"))
        approvals = {"rules": [{"types": ["Give"], "do": "hold", "tell": ["desk"]}]}
        assert office.play(approvals=approvals).row.status is Status.WAITING
        assert desk.events == ["approval.waiting"] * len(desk.events)
        assert desk.events
        assert other.events == []


def test_nothing_is_told_of_what_was_before_webhooks_were_set(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, "")
    office.play()
    office.clock.now += 60
    later = Office(tmp_path, toml(receiver))
    later.clock.now = office.clock.now
    outbox = later.outbox()
    assert later.sweep(outbox) == 0
    assert outbox.tell("run.failed", "old", {}, at=later.clock.now - OLDEST - 1) == 0


def test_a_run_without_webhooks_opens_no_database(tmp_path: Path) -> None:
    office = Office(tmp_path, "")
    office.play()
    assert not (tmp_path / ".windtunnel" / "catalog.sqlite").exists()


def test_a_long_action_is_left_out_and_said_so(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver))
    outbox = office.outbox()
    outbox.tell("approval.waiting", "r:1", {"run_id": "r", "action": "x" * 100_000, "note": "y" * 90_000})
    asyncio.run(outbox.deliver())
    assert receiver.got[0].data == {"run_id": "r", "truncated": True}
    outbox.tell("approval.waiting", "r:2", {"run_id": "r", "action": "x" * 100_000, "note": "y"})
    asyncio.run(outbox.deliver())
    assert receiver.got[1].data == {"run_id": "r", "action": None, "note": "y", "truncated": True}


def test_a_webhook_taken_out_of_the_settings_is_not_told(tmp_path: Path, receiver: Receiver) -> None:
    database = SqliteDatabase(tmp_path / "catalog.sqlite")
    clock = HandClock()
    Notifier([Webhook(receiver.url)], database, {}, clock=clock).tell("run.failed", "r", {})
    left = Notifier([], database, {}, clock=clock)
    asyncio.run(left.deliver())
    assert (receiver.got, left.waiting()) == ([], 0)
    database.close()


def test_a_server_looks_and_sends_until_it_is_stopped(tmp_path: Path, receiver: Receiver) -> None:
    office = Office(tmp_path, toml(receiver))
    outbox = office.outbox()
    found = office.control.create(office.world, scene("a", turns=2))
    asyncio.run(office.control.executor.play([_job(office, found)]))

    async def serve() -> None:
        task = asyncio.create_task(outbox.run(office.sweep))
        async with asyncio.timeout(20):
            while not receiver.got:  # noqa: ASYNC110 - it is another thread's
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(serve())
    assert receiver.events == ["run.completed"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "ftp://host/x"', "must be an address"),
        ('url = "http:///x"', "must be an address"),
        ('url = "http://host:99999/x"', "must be an address"),
        ('url = "http://host/x\\r\\nEvil: 1"', "must be an address"),
        ('url = "http://me:pass@host/x"', "secret_env"),
        ('url = "http://host/x"\nevents = ["aproval.*"]', "there is no event 'aproval.*'"),
        ('url = "http://host/x"\nsecret = "x"', "no setting"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "windtunnel.toml"
    file.write_text(f"[[notify.webhooks]]\n{line}\n")
    with pytest.raises(UsageError, match=r"windtunnel\.toml") as caught:
        read_settings(file)
    assert said in caught.value.message
    assert "approval.waiting" in EVENTS
