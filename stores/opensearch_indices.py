"""The index that a writer has, and the alias that readers look behind.

An index is named after the alias, the schema and the number of shards, so that another schema or
number has an index of its own. It is filled beside the one in use, and the alias moves over in one
step when it is complete. An index that has gone is not made by writing: writers go through an alias.
"""

from http import HTTPStatus
from typing import Any

from domain.errors import Unavailable
from stores.opensearch_schema import SCHEMA, index_body
from stores.opensearch_session import NotDone, OpenSearchSession

COPIES_WITHIN_S = 10  # so long a new index waits for all of its copies


class OpenSearchIndices:
    """Makes the writer's index, and shows it to the readers of *alias*."""

    def __init__(
        self, session: OpenSearchSession, alias: str, *, shards: int, replicas: int
    ) -> None:
        self._session, self._alias = session, alias
        self._shards, self._replicas = shards, replicas
        self.index = f"{alias}-{SCHEMA}-{shards}"
        self.writes = f"{self.index}-writes"

    async def make(self) -> None:
        """Have the index, with as many copies as it shall have.

        :raises Unavailable: if what has its name is not ours.
        """
        found = await self._found(f"/{self.index}")
        if not found:
            await self._create()
            found = await self._found(f"/{self.index}")
        about = found.get(self.index, {})
        if about.get("mappings", {}).get("_meta") != {"heartline": SCHEMA}:
            raise Unavailable(f"the index {self.index} on OpenSearch is not one of ours")
        if about["settings"]["index"]["number_of_replicas"] != str(self._replicas):
            settings = {"index": {"number_of_replicas": self._replicas}}
            await self._session.ask("PUT", f"/{self.index}/_settings", settings)

    async def show(self) -> None:
        """Let readers see this index, all that was written included, and no other."""
        before = await self._found(f"/_alias/{self._alias}")
        if before.keys() == {self.index}:
            return
        await self._session.ask("POST", f"/{self.index}/_refresh")
        others = [name for name in before if name != self.index]
        actions = [{"remove": {"index": each, "alias": self._alias}} for each in others]
        here = {"add": {"index": self.index, "alias": self._alias}}
        await self._session.ask("POST", "/_aliases", {"actions": [here, *actions]})
        for each in others:
            await self._session.ask("DELETE", f"/{each}", ignore_unavailable="true")

    async def _create(self) -> None:
        body = index_body(self._shards, self._replicas)
        names = (
            {self.writes}
            if await self._found(f"/_alias/{self._alias}")
            else {self.writes, self._alias}
        )
        try:
            await self._session.ask(
                "PUT",
                f"/{self.index}",
                {**body, "aliases": {name: {} for name in names}},
                wait_for_active_shards="all",
                timeout=f"{COPIES_WITHIN_S}s",
                request_timeout=2
                * COPIES_WITHIN_S,  # else the client takes the other one for its own
            )
        except NotDone as error:
            if "resource_already_exists" not in error.reason:
                raise

    async def _found(self, path: str) -> dict[str, Any]:
        try:
            return dict(await self._session.ask("GET", path))
        except NotDone as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return {}
            raise
