"""The Faust app: one member of the group that consumes the log on Kafka.

It decodes nothing, has no tables, no web server and no leader topic, and makes no topics. Whatever goes
wrong in it crashes it; who runs it ends the process.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import faust
from faust.types import EventT
from mode import CrashingSupervisor
from yarl import URL

from streams.membership import Membership

SESSION_TIMEOUT_S = 12.0  # a member that is gone this long loses its partitions
REBALANCE_TIMEOUT_S = 30.0
COMMIT_INTERVAL_S = 1.0
POLL_INTERVAL_S = 300.0  # a member that takes nothing for this long leaves, until it does again
BUFFERED_RECORDS = 64  # of up to 2 MiB each
POLLED_RECORDS = 500

Take = Callable[["EventT[Any]"], Awaitable[None]]


class _App(faust.App):
    def _create_directories(self) -> None:
        """Make none: they are for tables."""


def faust_app(membership: Membership, take: Take) -> faust.App:
    """Make an app that gives *take* each record of the topic, and acknowledges none by itself."""
    app = _App(
        membership.group,
        broker=[URL(f"kafka://{server}") for server in membership.servers.split(",")],
        broker_client_id=membership.member,
        consumer_group_instance_id=membership.member,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_interval=POLL_INTERVAL_S,
        broker_max_poll_records=POLLED_RECORDS,
        stream_buffer_maxsize=BUFFERED_RECORDS,
        stream_wait_empty=False,  # a rebalance shall not wait for a commit window
        agent_supervisor=CrashingSupervisor,
        table_standby_replicas=0,  # with tables Faust assigns partitions its own way
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    log = app.topic(membership.topic, key_serializer="raw", value_serializer="raw")

    async def hand_over(stream: Any) -> None:
        async for event in stream.noack().events():
            await take(event)

    app.agent(log, name="hand_over")(hand_over)
    return app
