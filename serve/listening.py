"""Minutes listened in a week: one row of accounts, one range of week rows, some additions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from domain.calendar import IsoWeek, Zone, tally, total_ms, week_at, week_layout
from domain.hashing import partition_of
from domain.ids import is_listener_id
from domain.positions import Generation
from domain.quarters import Quarters
from domain.units import MINUTE_MS
from serve.auth import Caller, require_read
from serve.endpoints import Endpoint, Parameter
from serve.errors import ApiError
from serve.inputs import query_text
from serve.instants import iso
from stores.accounts import Accounts

CURRENT = "current"
UTC_ALWAYS = (Zone(0, "UTC"),)  # a listener without an account: a gateway's


class WeekRows(Protocol):
    """What is read of `stores.listening.Listening`."""

    async def quarters(self, listener_id: str, first: int, last: int, *, now_ms: int) -> Quarters:
        """Read the quarter-hours first to last, inclusive."""
        ...

    async def progress_ms(self, generation: int, partition: int) -> int:
        """Tell up to which append time a partition's rows are complete."""
        ...


class DayMinutes(Struct, frozen=True):
    """One local day; ``hours`` has ms for each local hour in which anything was listened to."""

    date: str
    minutes: int
    listened_ms: int
    hours: dict[int, int]


class PreviousWeek(Struct, frozen=True):
    """The week before."""

    week: str
    minutes: int


class WeekMinutes(Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """What a listener listened to in one local ISO week.

    ``change_percent`` compares with the week before, null when that was 0. Everything acknowledged
    before ``as_of`` is in the numbers.
    """

    listener_id: str
    week: str
    time_zone: str
    since: str
    until: str
    minutes: int
    listened_ms: int
    days: list[DayMinutes]
    previous: PreviousWeek
    change_percent: float | None
    as_of: str


_encode = msgspec.json.Encoder().encode


class Minutes:
    """Answers how long somebody listened."""

    def __init__(
        self,
        rows: WeekRows,
        accounts: Accounts,
        *,
        generation: Callable[[], Awaitable[Generation]],
        now_ms: Callable[[], int],
    ) -> None:
        self._rows, self._accounts = rows, accounts
        self._generation, self._now_ms = generation, now_ms

    async def mine(self, request: Request, caller: Caller) -> Response:
        """Show the caller's week."""
        zones = caller.account.zones if caller.account else UTC_ALWAYS
        return await self._answer(request, caller.listener_id, zones)

    async def of_listener(self, request: Request, caller: Caller) -> Response:
        """Show somebody's week to themselves or to an operator."""
        listener_id = request.path_params["listener_id"]
        require_read(caller, listener_id)
        if not is_listener_id(listener_id):
            raise ApiError(404, "there is no such listener", "not_found")
        account = await self._accounts.by_id(listener_id)
        return await self._answer(request, listener_id, account.zones if account else UTC_ALWAYS)

    async def _answer(self, request: Request, listener_id: str, zones: Sequence[Zone]) -> Response:
        now_ms = self._now_ms()
        text = query_text(request, "week")
        current = text is None or text == CURRENT
        week = week_at(zones, now_ms) if current else IsoWeek.parse(str(text))
        body = _encode(await self.week(listener_id, zones, week, now_ms=now_ms))
        return Response(body, media_type="application/json")

    async def week(
        self, listener_id: str, zones: Sequence[Zone], week: IsoWeek, *, now_ms: int
    ) -> WeekMinutes:
        """Sum one week and the total of the one before."""
        last_week = week.previous()
        layout, before = week_layout(zones, week), week_layout(zones, last_week)
        generation = await self._generation()
        partition = partition_of(listener_id, generation.partitions)
        # First how far the rows are, then the rows: they can only be farther by then.
        as_of_ms = await self._rows.progress_ms(generation.number, partition)
        quarters = await self._rows.quarters(
            listener_id, before.first_quarter, layout.last_quarter, now_ms=now_ms
        )
        this = tally(layout, quarters)
        minutes = this.listened_ms // MINUTE_MS
        minutes_before = total_ms(before, quarters) // MINUTE_MS
        return WeekMinutes(
            listener_id=listener_id,
            week=str(week),
            time_zone=layout.time_zone,
            since=layout.from_iso,
            until=layout.to_iso,
            minutes=minutes,
            listened_ms=this.listened_ms,
            days=[DayMinutes(date, ms // MINUTE_MS, ms, hours) for date, ms, hours in this.days],
            previous=PreviousWeek(str(last_week), minutes_before),
            change_percent=change_percent(minutes, minutes_before),
            as_of=iso(as_of_ms),
        )


def change_percent(minutes: int, before: int) -> float | None:
    """Compare two weeks' minutes as shown, to a tenth of a percent; None when there were none."""
    return round(100 * (minutes - before) / before, 1) if before else None


WEEK = Parameter(
    "week",
    "An ISO week like 2026-W47, or the current one in the listener's time zone",
    {
        "type": "string",
        "pattern": "^(current|(19[7-9][0-9]|2[01][0-9]{2}|2200)-W(0[1-9]|[1-4][0-9]|5[0-3]))$",
        "default": CURRENT,
    },
)
MINE: tuple[Endpoint[Minutes], ...] = (
    Endpoint(
        "GET",
        "/v1/me/listening/minutes",
        Minutes.mine,
        summary="Minutes that I listened in a week",
        parameters=(WEEK,),
        answers={200: WeekMinutes},
        errors=(422,),
    ),
)
OF_LISTENERS: tuple[Endpoint[Minutes], ...] = (
    Endpoint(
        "GET",
        "/v1/listeners/{listener_id:path}/listening/minutes",
        Minutes.of_listener,
        summary="Minutes that a listener listened in a week: one's own, or any with `operator`",
        scope=None,
        parameters=(Parameter("listener_id", "The listener"), WEEK),
        answers={200: WeekMinutes},
        errors=(404, 422),
    ),
)
