import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windtunnel.config.models import Budgets, Limit, Models
from windtunnel.errors import BudgetReached, StorageError, UsageError
from windtunnel.models.budget import Amount, Ceiling
from windtunnel.models.gateway import Gateway
from windtunnel.models.ledger import Ledger

DIE = """
import os, sys
from pathlib import Path
from windtunnel.models.budget import Amount, Ceiling
from windtunnel.models.ledger import Ledger
account = Ledger(Path(sys.argv[1])).account("workspace", Ceiling(100))
account.settle(account.reserve("paid", Amount(30)), Amount(25))
account.reserve("in doubt", Amount(40))
os._exit(9)
"""
RACE = """
import sys
from pathlib import Path
from windtunnel.errors import BudgetReached
from windtunnel.models.budget import Amount, Ceiling
from windtunnel.models.ledger import Ledger
account = Ledger(Path(sys.argv[1])).account("workspace", Ceiling(50))
won = 0
for _ in range(50):
    try:
        account.settle(account.reserve("k", Amount(1)), Amount(1))
        won += 1
    except BudgetReached:
        pass
print(won)
"""


def test_a_process_that_dies_leaves_what_it_had_reserved_reserved(tmp_path):
    file = tmp_path / "accounts.sqlite"
    done = subprocess.run([sys.executable, "-c", DIE, str(file)], check=False, timeout=60)
    assert done.returncode == 9
    ledger = Ledger(file)
    account = ledger.account("workspace", Ceiling(100))
    assert (account.spent.money, account.reserved.money) == (25, 40)
    with pytest.raises(BudgetReached):
        account.reserve("k", Amount(36))
    (doubt,) = ledger.in_doubt()
    assert (doubt.key, doubt.amount, doubt.open) == ("in doubt", Amount(40), True)
    assert ledger.clear(doubt.id, Amount(10))
    assert not ledger.clear(doubt.id)
    assert (account.spent.money, account.reserved.money) == (35, 0)
    ledger.close()


@pytest.mark.slow
def test_processes_that_race_never_spend_more_than_there_is(tmp_path):
    file = tmp_path / "accounts.sqlite"
    Ledger(file).close()
    command = [sys.executable, "-c", RACE, str(file)]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(one.communicate(timeout=120)[0]) for one in racing) == 50


def test_threads_that_race_for_the_last_cent_one_wins(tmp_path):
    ledger = Ledger(tmp_path / "accounts.sqlite")
    account = ledger.account("workspace", Ceiling(10))

    def reserve(_: int) -> bool:
        try:
            account.reserve("k", Amount(10))
        except BudgetReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(reserve, range(20))) == 1
    ledger.close()


def test_accounts_of_other_names_do_not_count(tmp_path):
    ledger = Ledger(tmp_path / "accounts.sqlite")
    one, other = (ledger.account(name, Ceiling(None, 10)) for name in ("tournament a", "tournament b"))
    one.reserve("k", Amount(0, 10))
    assert other.reserve("k", Amount(0, 10))
    ledger.close()


def test_a_call_that_nobody_knows_the_end_of_stays_reserved(tmp_path):
    ledger = Ledger(tmp_path / "accounts.sqlite")
    account = ledger.account("workspace", Ceiling(10))
    account.keep(account.reserve("k", Amount(10)))
    with pytest.raises(BudgetReached) as caught:
        account.reserve("k", Amount(1))
    assert caught.value.data["may_wait"] is False
    assert not ledger.in_doubt()[0].open
    ledger.close()


def test_a_file_that_is_no_database_is_said_to_be_one(tmp_path):
    file = tmp_path / "accounts.sqlite"
    file.write_bytes(b"garbage " * 1000)
    with pytest.raises(StorageError, match="accounts of the workspace"):
        Ledger(file)


def test_the_gateway_keeps_lasting_accounts_in_the_workspace(tmp_path):
    settings = Models(budgets=Budgets(workspace=Limit(money=0.5, tokens=10)))
    gateway = Gateway(settings, environ={}, home=tmp_path / ".windtunnel")
    account = gateway.lasting("workspace")
    assert account.ceiling == Ceiling(500_000, 10)
    assert gateway.lasting("tournament", "cup").name == "tournament cup"
    with pytest.raises(UsageError):
        gateway.lasting("run")
    with pytest.raises(UsageError):
        Gateway(settings, environ={}).lasting("workspace")
    gateway.ledger().close()
    assert [path.name for path in Path(tmp_path / ".windtunnel").glob("*.sqlite")] == ["accounts.sqlite"]
