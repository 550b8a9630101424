"""The alert rules and the dashboard: they parse, they fire when they should, and every name exists."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from heartline import wiring
from heartline.recount_result import RecountResult, keep_result
from tests.serve.whole import Whole, serving
from tests.servers.fleet import promtool as promtool_here
from tests.servers.programs import Missing

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
RULES: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "heartline.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = [
    pytest.param(target["expr"], id=f"{panel['title']}: {target['refId']}")
    for panel in PANELS
    for target in panel.get("targets", ())
]
PATIENCE_S = 20.0
OURS = re.compile(r"\b(?:heartline|process)_\w+")

# An alert, series of which each value is 15 s after the one before, the second at which it is asked
# for, and whether it fires. Limits are tried from both sides.
FINE = {"heartline_build_info": "1+0x80", "heartline_status_age_seconds": "0+0x80"}
CASES = [
    ("HeartlineStale", {'heartline_staleness_seconds{partition="1"}': "301+0x8"}, 60, True),
    ("HeartlineStale", {'heartline_staleness_seconds{partition="1"}': "300+0x8"}, 60, False),
    ("HeartlineStale", {'heartline_staleness_seconds{partition="1"}': "0+15x40"}, 330, True),
    ("HeartlineStalenessGrows", {"heartline_staleness_seconds": "121+0x8"}, 75, True),
    ("HeartlineStalenessGrows", {"heartline_staleness_seconds": "120+0x8"}, 75, False),
    ("HeartlineSilent", {'up{job="heartline"}': "0+0x20"}, 150, True),
    ("HeartlineSilent", FINE, 150, False),
    ("HeartlineBlind", {**FINE, "heartline_status_age_seconds": "0+15x40"}, 240, True),
    ("HeartlineBlind", {"heartline_build_info": "1+0x80"}, 150, True),
    ("HeartlineBlind", FINE, 240, False),
    ("HeartlineNotReady", {'heartline_ready{part="log"}': "0+0x20"}, 150, True),
    ("HeartlineNotReady", {'heartline_ready{part="log"}': "0 0 0 1 0 0 0 0 0 0 0"}, 150, False),
    ("HeartlineShardDown", {'heartline_shard_up{shard="0"}': "0+0x20"}, 90, True),
    ("HeartlineShardDown", {'heartline_shard_up{shard="0"}': "1+0x20"}, 90, False),
    ("HeartlineLag", {'heartline_lag_seconds{partition="0"}': "61+0x80"}, 330, True),
    ("HeartlineLag", {'heartline_lag_seconds{partition="0"}': "60+0x80"}, 330, False),
    (
        "HeartlineStuck",
        {
            'heartline_lag_records{partition="0"}': "5+0x80",
            'heartline_records_applied_total{partition="0"}': "9+0x80",
        },
        300,
        True,
    ),
    ("HeartlineStuck", {'heartline_lag_records{partition="0"}': "5+0x80"}, 300, True),
    (
        "HeartlineStuck",
        {
            'heartline_lag_records{partition="0"}': "5+0x80",
            'heartline_records_applied_total{partition="0"}': "9+1x80",
        },
        300,
        False,
    ),
    ("HeartlineUnwritten", {'heartline_unwritten_seconds{partition="0"}': "0+15x40"}, 180, True),
    ("HeartlineUnwritten", {'heartline_unwritten_seconds{partition="0"}': "30+0x40"}, 180, False),
    (
        "HeartlineArchiveStuck",
        {
            "heartline_archive_done_timestamp_seconds": "0+0x400",
            "heartline_archived_records_total": "9+0x400",
        },
        4_500,
        True,
    ),
    (
        "HeartlineArchiveStuck",
        {
            "heartline_archive_done_timestamp_seconds": "0+0x400",
            "heartline_archived_records_total": "9+1x400",
        },
        4_500,
        False,
    ),
    (
        "HeartlineArchiveStuck",
        {
            "heartline_archive_done_timestamp_seconds": "0+15x400",
            "heartline_archived_records_total": "9+0x400",
        },
        4_500,
        False,
    ),
    ("HeartlineGatheringStuck", {"heartline_gatherer_restarts_total": "0+1x80"}, 600, True),
    ("HeartlineGatheringStuck", {"heartline_gatherer_restarts_total": "0+0x20 4+0x60"}, 600, False),
    (
        "HeartlineCatalogueStuck",
        {
            "heartline_catalogue_behind_records": "3+0x100",
            "heartline_catalogue_records_total": "9+0x100",
        },
        960,
        True,
    ),
    (
        "HeartlineCatalogueStuck",
        {
            "heartline_catalogue_behind_records": "3+0x100",
            "heartline_catalogue_records_total": "9+1x100",
        },
        960,
        False,
    ),
    ("HeartlineCatalogueStuck", {"heartline_shard_up": "1+0x100"}, 960, True),
    (
        "HeartlineIndexStuck",
        {
            "heartline_search_behind_records": "3+0x100",
            "heartline_search_indexed_entries_total": "9+0x100",
        },
        960,
        True,
    ),
    (
        "HeartlineIndexStuck",
        {
            "heartline_search_behind_records": "3+0x100",
            "heartline_search_indexed_entries_total": "9+1x100",
        },
        960,
        False,
    ),
    (
        "HeartlineDeadLetters",
        {'heartline_dead_letters_total{source="log",reason="unreadable"}': "0 0 1 1 1"},
        60,
        True,
    ),
    (
        "HeartlineDeadLetters",
        {'heartline_dead_letters_total{source="log",reason="unreadable"}': "3+0x8"},
        60,
        False,
    ),
    ("HeartlinePresenceAway", {'heartline_presence_away{process="a"}': "1+0x40"}, 330, True),
    ("HeartlinePresenceAway", {'heartline_presence_away{process="a"}': "0+0x40"}, 330, False),
    (
        "HeartlineRefusals",
        {
            'heartline_heartbeats_rejected_total{reason="too_old"}': "0+6x80",
            "heartline_heartbeats_received_total": "0+100x80",
        },
        900,
        True,
    ),
    (
        "HeartlineRefusals",
        {
            'heartline_heartbeats_rejected_total{reason="too_old"}': "0+4x80",
            "heartline_heartbeats_received_total": "0+100x80",
        },
        900,
        False,
    ),
    (
        "HeartlineErrors",
        {
            'heartline_http_request_seconds_count{status="503"}': "0+2x80",
            'heartline_http_request_seconds_count{status="200"}': "0+98x80",
        },
        600,
        True,
    ),
    (
        "HeartlineErrors",
        {
            'heartline_http_request_seconds_count{status="422"}': "0+9x80",
            'heartline_http_request_seconds_count{status="200"}': "0+91x80",
        },
        600,
        False,
    ),
    (
        "HeartlineSlowReads",
        {
            'heartline_http_request_seconds_bucket{path="/v1/me/listening/minutes",le="0.1"}': "0+9x80",
            'heartline_http_request_seconds_bucket{path="/v1/me/listening/minutes",le="0.25"}': "0+10x80",
            'heartline_http_request_seconds_bucket{path="/v1/me/listening/minutes",le="+Inf"}': "0+10x80",
        },
        900,
        True,
    ),
    (
        "HeartlineSlowReads",
        {
            'heartline_http_request_seconds_bucket{path="/v1/me/listening/minutes",le="0.1"}': "0+10x80",
            'heartline_http_request_seconds_bucket{path="/v1/me/listening/minutes",le="+Inf"}': "0+10x80",
        },
        900,
        False,
    ),
    ("HeartlineDiffers", {"heartline_recount_differences": "1+0x8"}, 30, True),
    ("HeartlineDiffers", {"heartline_recount_differences": "0+0x8"}, 30, False),
]


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return promtool_here()
    except Missing as missing:
        pytest.skip(str(missing))


def run(promtool: Path, *arguments: str) -> None:
    done = subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_what_prometheus_reads(promtool: Path) -> None:
    run(promtool, "check", "rules", str(ALERTS))


def test_each_alert_fires_when_it_should_and_not_before(promtool: Path, tmp_path: Path) -> None:
    tests = [
        {
            "interval": "15s",
            "name": f"{alert} at {second} s of {series}",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": f"{second}s",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for alert, series, second, fires in CASES
    ]
    path = tmp_path / "tests.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "15s", "tests": tests})
    )

    run(promtool, "test", "rules", str(path))


def test_every_alert_is_tried_from_both_sides() -> None:
    names = {rule["alert"] for rule in RULES}

    assert {alert for alert, _, _, fires in CASES if fires} == names
    assert {alert for alert, _, _, fires in CASES if not fires} == names


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_how_grave_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "look"}
    assert rule["annotations"].keys() == {"summary", "description"}


def test_every_expression_of_the_dashboard_is_promql(promtool: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": str(case.values[0]).replace("$__rate_interval", "1m")}
        for number, case in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    run(promtool, "check", "rules", str(path))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """All samples of a real exposition, after some traffic."""
    directory = tmp_path_factory.mktemp("whole")
    keep_result(directory, RecountResult(at_ms=1, differences=0))
    with serving(directory) as whole:
        scraped = after_some_traffic(whole)
    families = text_string_to_metric_families(scraped)
    return [sample for family in families for sample in family.samples]


def after_some_traffic(whole: Whole) -> str:
    """What is scraped once a heartbeat of ours was flushed."""
    headers = {"Authorization": f"Bearer {whole.new_token()}"}
    with httpx.Client(base_url=whole.url, headers=headers) as client:
        beat = {"id": "1", "track_id": "t", "kind": "start", "at": wiring.now_ms()}
        client.post("/v1/heartbeats", json={"heartbeats": [{**beat, "listener_id": "ann"}]})
        client.get("/v1/me/listening/minutes")
        client.get("/v1/search", params={"q": "nothing"})
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            text = client.get("/metrics").raise_for_status().text
            if "heartline_fold_bytes{" in text:
                return text
    raise AssertionError("nothing was flushed")


@pytest.fixture(scope="module")
def there(samples: list[Sample]) -> set[str]:
    """Their names."""
    return {sample.name for sample in samples}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_the_dashboard_shows_exists(expression: str, there: set[str]) -> None:
    assert set(OURS.findall(expression)) - there == set()


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_what_an_alert_watches_exists(rule: dict[str, Any], there: set[str]) -> None:
    assert set(OURS.findall(rule["expr"])) - there == set()


def test_panels_do_not_overlap_and_each_says_what_it_shows() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert [panel for panel in PANELS if not panel["title"]] == []


def test_every_panel_reads_the_data_source_that_compose_provides() -> None:
    (source,) = yaml.safe_load((DEPLOY / "grafana/datasources/prometheus.yaml").read_text())[
        "datasources"
    ]

    used = {panel["datasource"]["uid"] for panel in PANELS if panel["type"] != "row"}

    assert used == {source["uid"]}


def test_labels_are_of_what_we_run_and_never_of_who_listens_to_what(samples: list[Sample]) -> None:
    assert {name for sample in samples for name in sample.labels} == {
        *("role", "process", "shard", "partition", "part", "version"),
        *("path", "status", "le", "reason", "source", "generation", "for"),
    }
