import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Zone
from domain.errors import UnknownZone
from domain.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from stores.account_errors import NameTaken, NoAccount
from stores.account_names import InvalidAccount, name_key
from stores.accounts import MOST_KNOWN, MOST_ZONES, Account, Accounts, Scope, move
from stores.login_attempts import MOST_ATTEMPTS, TooManyAttempts
from stores.sqlite_tables import SqliteTables
from stores.tables import ACCOUNT_NAMES, ACCOUNTS
from tests.clock import MONDAY_MS, Clock
from tests.stores.fast_passwords import fast_passwords

PASSWORD = "correct horse"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tables(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteTables]:
    opened = SqliteTables.open(tmp_path / "store.db", now_ms=clock)
    yield opened
    await opened.close()


@pytest.fixture
def accounts(tables: SqliteTables, clock: Clock) -> Accounts:
    return replica(tables, clock, "a")


def replica(tables: SqliteTables, clock: Clock, prefix: str) -> Accounts:
    ids = count(1)
    return Accounts(tables, fast_passwords(), now_ms=clock, new_id=lambda: f"{prefix}{next(ids)}")


async def make(accounts: Accounts, name: str, password: str | None = PASSWORD) -> Account:
    return await accounts.create(name, password=password, time_zone="Asia/Kolkata")


async def test_an_account_is_found_by_its_id_and_by_its_name(accounts: Accounts) -> None:
    made = await make(accounts, "Ada")

    assert made == await accounts.by_id(made.listener_id) == await accounts.by_name("ada")
    assert made.scopes == {Scope.LISTENER}
    assert made.zones == (Zone(0, "Asia/Kolkata"),)
    assert made.created_ms == MONDAY_MS
    assert (made.name, made.display_name) == ("Ada", "Ada")


async def test_a_password_is_stored_as_an_argon2id_hash_only(
    accounts: Accounts, tables: SqliteTables
) -> None:
    made = await make(accounts, "ada")

    row = (await tables.read(ACCOUNTS, [(made.listener_id,)]))[0]

    assert row is not None
    document = msgspec.json.decode(bytes(row.values["document"]))  # type: ignore[arg-type]
    assert document["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(document)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("ada", "ADA", id="capitals"),
        pytest.param("stra\u00dfe", "STRASSE", id="sharp-s"),
        pytest.param("e\u0301va", "\u00e9va", id="composed"),
        pytest.param("\ufb01ona", "fiona", id="ligature"),
        pytest.param("\uff41da", "ada", id="full-width"),
        pytest.param("\u212bke", "\u00e5ke", id="angstrom"),
        pytest.param("ada\ufe0f", "ada", id="variation-selector"),
        pytest.param("\u1fb3\u0345", "\u03b1\u03b9\u03b9", id="iota-subscript"),
    ],
)
async def test_names_that_read_the_same_are_one_name(
    accounts: Accounts, one: str, other: str
) -> None:
    made = await make(accounts, one)

    assert await accounts.by_name(other) == made
    with pytest.raises(NameTaken):
        await make(accounts, other)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 65,
        " a",
        "a ",
        "a\x00b",
        "a\nb",
        "a\u200bb",
        "\ud800",
        "a\u2028b",
        "\u3164",
        "\ue000",
    ],
    ids=ascii,
)
async def test_names_that_nobody_could_read_or_type_are_refused(
    accounts: Accounts, name: str
) -> None:
    with pytest.raises(InvalidAccount, match=r"^name: "):
        await make(accounts, name)
    assert await accounts.by_name(name) is None


@given(st.text(min_size=1, max_size=64))
def test_folding_a_name_twice_folds_it_once(name: str) -> None:
    try:
        key = name_key(name)
    except InvalidAccount:
        return
    assert len(key) > 64 or key != key.strip() or name_key(key) == key


@pytest.mark.parametrize("password", ["", "7 chars", "x" * 1025])
async def test_a_password_too_short_or_too_long_is_refused(
    accounts: Accounts, password: str
) -> None:
    with pytest.raises(InvalidAccount, match=r"^password: "):
        await make(accounts, "ada", password)


@pytest.mark.parametrize("display_name", ["", " ", "a\x00", "\ud800", "x" * 257])
async def test_a_display_name_that_cannot_be_shown_is_refused(
    accounts: Accounts, display_name: str
) -> None:
    with pytest.raises(InvalidAccount, match=r"^display_name: "):
        await accounts.create("ada", password=None, time_zone="UTC", display_name=display_name)


async def test_an_unknown_zone_is_refused_and_takes_no_name(accounts: Accounts) -> None:
    with pytest.raises(UnknownZone):
        await accounts.create("ada", password=None, time_zone="Mars/Olympus")
    assert await accounts.by_name("ada") is None


async def test_of_many_who_want_a_name_at_once_one_gets_it(
    tables: SqliteTables, clock: Clock
) -> None:
    replicas = [replica(tables, clock, prefix) for prefix in "abcd"]

    made = await asyncio.gather(
        *(make(accounts, "ada", None) for accounts in replicas), return_exceptions=True
    )

    winners = [account for account in made if isinstance(account, Account)]
    assert len(winners) == 1
    assert sum(isinstance(account, NameTaken) for account in made) == 3
    assert await replicas[0].by_name("ada") == winners[0]
    stored = await tables.read(ACCOUNTS, [(f"{prefix}1",) for prefix in "abcd"])
    assert sum(row is not None for row in stored) == 1


async def test_a_deleted_account_is_gone_and_its_name_is_free(accounts: Accounts) -> None:
    first = await make(accounts, "ada")

    await accounts.delete(first.listener_id)
    await accounts.delete(first.listener_id)

    assert await accounts.by_id(first.listener_id) is None
    assert await accounts.by_name("ada") is None
    assert (await make(accounts, "ada")).listener_id != first.listener_id


async def test_a_name_whose_deletion_was_cut_short_can_be_taken(
    accounts: Accounts, tables: SqliteTables
) -> None:
    await tables.write_if(ACCOUNT_NAMES, ("ada",), {"listener": "gone"}, version=0)

    made = await make(accounts, "ada")

    assert await accounts.by_name("ada") == made


async def test_changes_of_two_replicas_at_once_both_hold(
    tables: SqliteTables, clock: Clock, accounts: Accounts
) -> None:
    made = await make(accounts, "ada")
    other = replica(tables, clock, "b")

    await asyncio.gather(
        accounts.update(
            made.listener_id, lambda a: msgspec.structs.replace(a, display_name="Ada L.")
        ),
        other.update(made.listener_id, lambda a: move(a, "Europe/Berlin", clock())),
    )

    account = await accounts.by_id(made.listener_id)
    assert account is not None
    assert (account.display_name, account.time_zone) == ("Ada L.", "Europe/Berlin")


async def test_what_is_gone_cannot_be_changed(accounts: Accounts) -> None:
    with pytest.raises(NoAccount):
        await accounts.update("nobody", lambda account: account)


async def test_a_change_of_zone_holds_from_the_next_quarter_hour(
    accounts: Accounts, clock: Clock
) -> None:
    made = await make(accounts, "ada")
    clock.advance(HOUR_MS + 1)

    moved = move(made, "Europe/Berlin", clock())

    since_ms = MONDAY_MS + HOUR_MS + QUARTER_MS
    assert moved.zones == (Zone(0, "Asia/Kolkata"), Zone(since_ms, "Europe/Berlin"))
    assert move(moved, "Europe/Berlin", clock()) == moved


async def test_a_zone_cannot_be_changed_without_end(accounts: Accounts) -> None:
    made = await make(accounts, "ada")
    names = ("UTC", "Asia/Tokyo")
    zones = tuple(Zone(n * QUARTER_MS, names[n % 2]) for n in range(MOST_ZONES))
    traveller = msgspec.structs.replace(made, zones=zones)

    with pytest.raises(InvalidAccount, match=r"^time_zone: "):
        move(traveller, "UTC", MONDAY_MS)


async def test_only_the_right_password_logs_in(accounts: Accounts) -> None:
    made = await make(accounts, "ada")

    assert await accounts.authenticate("ADA", PASSWORD) == made
    assert await accounts.authenticate("ada", PASSWORD + "!") is None
    assert await accounts.authenticate("bob", PASSWORD) is None
    assert await accounts.authenticate("a\x00", PASSWORD) is None


async def test_a_password_is_the_same_however_its_letters_are_composed(
    accounts: Accounts,
) -> None:
    made = await make(accounts, "ada", "cafe\u0301 noir")

    assert await accounts.authenticate("ada", "caf\u00e9 noir") == made


async def test_a_password_longer_than_any_is_wrong_at_once(accounts: Accounts) -> None:
    await make(accounts, "ada")
    accents = "\u0301\u0323" * 200_000  # sorting these is quadratic, with the interpreter's lock

    async with asyncio.timeout(5):
        assert await accounts.authenticate("ada", f"a{accents}") is None


async def test_nobody_logs_in_to_an_account_without_a_password(accounts: Accounts) -> None:
    await make(accounts, "ada", None)

    assert await accounts.authenticate("ada", "") is None
    assert await accounts.authenticate("ada", "nobody's password") is None


async def test_attempts_on_a_name_are_limited_across_replicas_until_five_minutes_passed(
    tables: SqliteTables, clock: Clock, accounts: Accounts
) -> None:
    made = await make(accounts, "ada")
    other = replica(tables, clock, "b")
    for attempt in range(MOST_ATTEMPTS):
        clock.advance(1000)
        assert await (accounts, other)[attempt % 2].authenticate("ada", "wrong") is None

    with pytest.raises(TooManyAttempts) as refused:
        await other.authenticate("ADA", PASSWORD)
    clock.advance(refused.value.retry_after_s * 1000)

    assert 0 < refused.value.retry_after_s <= 5 * 60
    assert await accounts.authenticate("ada", PASSWORD) == made


async def test_attempts_at_the_same_time_are_counted_one_by_one(
    tables: SqliteTables, clock: Clock
) -> None:
    tries = [replica(tables, clock, "a").authenticate("ada", "wrong") for _ in range(30)]

    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(answer is None for answer in answers) <= MOST_ATTEMPTS
    assert any(isinstance(answer, TooManyAttempts) for answer in answers)


async def test_names_without_an_account_are_limited_as_well(accounts: Accounts) -> None:
    for _ in range(MOST_ATTEMPTS):
        await accounts.authenticate("nobody", PASSWORD)

    with pytest.raises(TooManyAttempts):
        await accounts.authenticate("nobody", PASSWORD)


async def test_a_right_password_begins_the_count_anew(accounts: Accounts, clock: Clock) -> None:
    await make(accounts, "ada")

    for _ in range(3 * MOST_ATTEMPTS):
        clock.advance(MINUTE_MS // 10)
        assert await accounts.authenticate("ada", PASSWORD)


async def test_the_addresses_known_are_the_newest_and_cannot_be_read(accounts: Accounts) -> None:
    made = await make(accounts, "ada")
    for number in range(2 * MOST_KNOWN):
        await accounts.authenticate("ada", PASSWORD, address=f"203.0.113.{number}")

    account = await accounts.by_id(made.listener_id)

    assert account
    assert len(set(account.known)) == MOST_KNOWN
    assert b"203.0.113" not in msgspec.json.encode(account)
