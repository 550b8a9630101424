"""The peer's job, run by the Python of its own environment: `flink_job.py '{"jar": ..., ...}'`.

It counts what we count, without our care for duplicates, order, two devices at once, plays and history:
the time between neighbours of one listener and track, if it is a minute at most, by listener and week.
A first run over a part of the records warms the machine up; the second one is measured.
"""

import json
import os
import sys
import time
from pathlib import Path

from pyflink.table import EnvironmentSettings, TableEnvironment

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SOURCE = """
CREATE TABLE heartbeats_{name} (
  listener_id STRING, track_id STRING, `at` BIGINT, seen AS PROCTIME()
) WITH (
  'connector' = 'kafka', 'format' = 'json', 'topic' = '{topic}',
  'properties.bootstrap.servers' = '{servers}', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = '{ends}'
)"""
SINK = """
CREATE TABLE nowhere (listener_id STRING, week BIGINT, ms BIGINT) WITH ('connector' = 'blackhole')
"""
QUERY = """
INSERT INTO nowhere
SELECT listener_id, week, SUM(CASE WHEN gap BETWEEN 0 AND 60000 THEN gap ELSE 0 END) FROM (
  SELECT listener_id, `at` / 604800000 AS week,
    `at` - LAG(`at`) OVER (PARTITION BY listener_id, track_id ORDER BY seen) AS gap
  FROM heartbeats_{name}
) GROUP BY listener_id, week
"""


def cpu_s() -> float:
    """Processor time of this process and of the Java machine that it started."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return time.process_time() + sum(map(_cpu_s, children))


def _cpu_s(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    deeper = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S + sum(map(_cpu_s, deeper))


def main() -> None:
    """Run the job twice, and tell what the second run took, in JSON."""
    order = json.loads(sys.argv[1])
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in order["settings"].items():
        tables.get_config().set(name, value)
    tables.execute_sql(SINK)
    for name in ("warm", "measured"):
        ends = ";".join(
            f"partition:{number},offset:{end}" for number, end in enumerate(order[name])
        )
        tables.execute_sql(SOURCE.format(name=name, ends=ends, **order["source"]))
        began_s, began_cpu_s = time.monotonic(), cpu_s()
        tables.execute_sql(QUERY.format(name=name)).wait()
        took = {"wall_s": time.monotonic() - began_s, "cpu_s": cpu_s() - began_cpu_s}
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
