"""Whether the service is there: heartbeats are taken and read, and every partition has its shard."""

import time
from typing import Any

import httpx

from tests.end_to_end.chaos.instance import Instance, new_listener
from tests.end_to_end.chaos.target import Target

ASK_S = 2.0
EVERY_S = 0.05
HOLDS_S = 1.0
LIMIT_S = 300.0
MOST_LAG = 100  # records that have not been applied, under load


class Service:
    """Asks as a client does who has nothing to do with the load."""

    def __init__(self, instance: Instance, *, ingest: str, operator: str) -> None:
        self._instance, self._ingest, self._operator = instance, ingest, operator
        self._listener = new_listener()
        self._why = ""

    def back_s(self, since_s: float, replaced: Any) -> float:
        """Wait until all is well, and *replaced* holds, for a second; the seconds *since_s* till then."""
        with httpx.Client(base_url=self._instance.url, timeout=ASK_S) as client:
            well_s = 0.0
            while not well_s or time.monotonic() - well_s < HOLDS_S:
                before_s = time.monotonic()
                self._why = self._trouble(client) or ("" if replaced() else "it is not there again")
                well_s = (well_s or time.monotonic()) if not self._why else 0.0
                assert before_s - since_s < LIMIT_S, (
                    f"it never came back: {self._why}\n{self._told(client)}"
                )
                time.sleep(EVERY_S)
        return well_s - since_s

    def caught_up_s(self, since_s: float) -> float:
        """Wait until all that the log has by now is applied; the seconds *since_s* till then."""
        begun_s, target = time.monotonic(), Target()
        with httpx.Client(base_url=self._instance.url, timeout=ASK_S) as client:
            while not target.reached(self._partitions(client)):
                assert time.monotonic() - begun_s < LIMIT_S, f"it never caught up: {target.behind}"
                time.sleep(EVERY_S)
        return time.monotonic() - since_s

    def _partitions(self, client: httpx.Client) -> list[dict[str, Any]]:
        """Tell how far each partition is; none while that is not known."""
        try:
            answer = client.get("/v1/status", headers=_bearer(self._operator))
        except httpx.HTTPError:
            return []
        return list(answer.json()["partitions"]) if answer.status_code == 200 else []

    def _told(self, client: httpx.Client) -> str:
        """What the status says of each partition that is not written, and why."""
        try:
            told = client.get("/v1/status", headers=_bearer(self._operator)).json()
        except (httpx.HTTPError, ValueError) as error:
            return repr(error)
        return "\n".join(str(each) for each in told.get("partitions", ()) if each["unwritten_ms"])

    def _trouble(self, client: httpx.Client) -> str:
        """Tell what is wrong, "" for nothing."""
        try:
            return (
                self._status(
                    client.post(
                        "/v1/heartbeats", json=_beat(self._listener), headers=_bearer(self._ingest)
                    ),
                    202,
                )
                or self._status(
                    client.get(
                        f"/v1/listeners/{self._listener}/listening/minutes",
                        headers=_bearer(self._operator),
                    ),
                    200,
                )
                or self._status(
                    client.get("/v1/me/listening/minutes", headers=_bearer(self._operator)), 200
                )
                or self._status(client.get("/readyz"), 200)
                or _behind(client.get("/v1/status", headers=_bearer(self._operator)))
            )
        except httpx.HTTPError as error:
            return repr(error)

    @staticmethod
    def _status(answer: httpx.Response, wanted: int) -> str:
        return "" if answer.status_code == wanted else f"{answer.url.path}: {answer.text[:200]}"


def _behind(answer: httpx.Response) -> str:
    if answer.status_code != 200:
        return f"/v1/status: {answer.text[:200]}"
    told = answer.json()
    held = sum(len(shard["partitions"]) for shard in told["shards"])
    if held < len(told["partitions"]) or told["lag"] > MOST_LAG:
        return f"shards hold {held} partitions and are {told['lag']} records behind"
    return ""


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _beat(listener_id: str) -> dict[str, Any]:
    """One instant, of which nothing can be listened."""
    at = time.time_ns() // 1_000_000
    beat = {"id": f"{listener_id}-{at}", "listener_id": listener_id, "track_id": f"{at}"}
    return {"heartbeats": [beat | {"kind": "start", "at": at}]}
