from pathlib import Path

import pytest

from heartline.settings import BadSettings, Settings, unknown


def problems(environ: dict[str, str], **overrides: object) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as caught:
        Settings.from_environ(environ, overrides)
    return caught.value.problems


def test_nothing_set_is_a_whole_that_works() -> None:
    settings = Settings.from_environ({})

    assert settings == Settings(Path("data").absolute())
    assert (settings.shards, settings.partitions, settings.commit_window_ms) == (2, 8, 30_000)
    assert settings.late_limit_days == 30


@pytest.mark.parametrize(
    ("given", "partitions"),
    [
        pytest.param({}, 64, id="by-default"),
        pytest.param({"HEARTLINE_PARTITIONS": "8"}, 8, id="as-said"),
    ],
)
def test_a_log_on_kafka_has_more_partitions(given: dict[str, str], partitions: int) -> None:
    settings = Settings.from_environ({"HEARTLINE_LOG": "kafka://host:9092", **given})

    assert settings.partitions == partitions


def test_a_flag_comes_before_the_environment() -> None:
    environ = {"HEARTLINE_SHARDS": "3", "HEARTLINE_PORT": "9000"}

    settings = Settings.from_environ(environ, {"shards": "5", "port": None})

    assert (settings.shards, settings.port) == (5, 9000)


def test_every_problem_is_named_at_once() -> None:
    found = problems(
        {
            "HEARTLINE_SHARDS": "0",
            "HEARTLINE_PARTITIONS": "many",
            "HEARTLINE_HOST": "example.org",
            "HEARTLINE_SEARCH": "tantivy://host",
        }
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "HEARTLINE_HOST",
        "HEARTLINE_SEARCH",
        "HEARTLINE_SHARDS",
        "HEARTLINE_PARTITIONS",
    ]


@pytest.mark.parametrize("value", ["1.5", "-1", " ", "1e3", "٣", "9" * 50, "0x10", "1_000"])
def test_a_number_is_digits_within_bounds(value: str) -> None:
    assert problems({"HEARTLINE_PORT": value})[0].startswith("HEARTLINE_PORT: wants a whole number")


def test_weights_of_the_ranking_are_read() -> None:
    settings = Settings.from_environ({"HEARTLINE_SEARCH_WEIGHTS": "popularity=1,taste=0"})

    assert settings.search_weights == "popularity=1,taste=0"
    assert problems({"HEARTLINE_SEARCH_WEIGHTS": "popularity=-1"})[0].startswith(
        "HEARTLINE_SEARCH_WEIGHTS: wants popularity=0.5"
    )


def test_plays_are_not_forgotten_before_they_can_come_back() -> None:
    (problem,) = problems({"HEARTLINE_PLAYS_KEPT_DAYS": "29"})

    assert "HEARTLINE_LATE_LIMIT_DAYS" in problem
    assert Settings.from_environ({"HEARTLINE_PLAYS_KEPT_DAYS": "30"}).plays_kept_days == 30


def test_readers_may_be_behind_by_a_commit_window() -> None:
    (problem,) = problems({"HEARTLINE_STALE_LIMIT_MS": "29999"})

    assert "HEARTLINE_COMMIT_WINDOW_MS" in problem
    assert Settings.from_environ({"HEARTLINE_STALE_LIMIT_MS": "30000"}).stale_limit_ms == 30_000


@pytest.mark.parametrize(("late_days", "ttl_days"), [(30, 90), (69, 90), (70, 91), (500, 521)])
def test_a_week_row_outlives_the_late_limit(late_days: int, ttl_days: int) -> None:
    settings = Settings.from_environ({"HEARTLINE_LATE_LIMIT_DAYS": str(late_days)})

    assert settings.week_ttl_s == ttl_days * 86_400


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_the_url_can_be_reached_from_this_machine(host: str, url: str) -> None:
    assert Settings.from_environ({"HEARTLINE_HOST": host}).url == url


def test_settings_travel_as_plain_values() -> None:
    settings = Settings.from_environ({"HEARTLINE_SHARDS": "7", "HEARTLINE_NEW_GENERATION": "1"})

    assert Settings.of_plain(settings.plain()) == settings


def test_a_variable_that_means_nothing_is_told() -> None:
    environ = ["HEARTLINE_SHARD", "HEARTLINE_SHARDS", "HEARTLINE_STORE", "HEARTLINE_START", "PATH"]

    assert unknown(environ) == ["HEARTLINE_SHARD"]


@pytest.mark.parametrize(
    ("said", "archive"), [("", True), ("yes", True), ("no", False), ("0", False)]
)
def test_the_archive_runs_unless_it_is_told_not_to(said: str, archive: bool) -> None:
    assert Settings.from_environ({"HEARTLINE_ARCHIVE": said}).archive is archive


@pytest.mark.parametrize("name", ["HEARTLINE_ARCHIVE", "HEARTLINE_NEW_GENERATION"])
def test_neither_yes_nor_no_is_refused(name: str) -> None:
    assert list(problems({name: "ture"})) == [f"{name}: wants yes or no, not 'ture'"]
