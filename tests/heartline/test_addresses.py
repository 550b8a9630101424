import pytest

from heartline.addresses import (
    KafkaAddress,
    OpenSearchAddress,
    RedisAddress,
    S3Address,
    ScyllaAddress,
)
from heartline.settings import BadSettings, Settings


@pytest.mark.parametrize(
    ("url", "servers", "topic"),
    [
        pytest.param("kafka://one:9092", "one:9092", "", id="a-server"),
        pytest.param("kafka://one:9092,10.0.0.2:9093", "one:9092,10.0.0.2:9093", "", id="two"),
        pytest.param("kafka://[::1]:9092/beats", "[::1]:9092", "beats", id="a-topic"),
        pytest.param("kafka://one:9092/", "one:9092", "", id="a-slash"),
    ],
)
def test_an_address_names_servers_and_perhaps_a_topic(url: str, servers: str, topic: str) -> None:
    assert KafkaAddress.parse(url) == KafkaAddress(servers, topic)
    assert Settings.from_environ({"HEARTLINE_LOG": url}).log == url


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://one",
        "kafka://one:0",
        "kafka://one:65536",
        "kafka://one:9092,",
        "kafka://one:9092/a/b",
        "kafka://one:9092/..",
        "kafka://one:9092/" + "t" * 201,
        "kafka://user:password@one:9092",
        "redis://one:6379",
        "one:9092",
        " kafka://one:9092",
    ],
)
def test_what_is_no_address_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(BadSettings, match="HEARTLINE_LOG: wants kafka://"):
        Settings.from_environ({"HEARTLINE_LOG": url})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("s3://music", S3Address("music"), id="a-bucket"),
        pytest.param("s3://music/a/b/", S3Address("music", "a/b"), id="a-folder"),
        pytest.param(
            "s3://music?endpoint=http://127.0.0.1:9000&region=eu-1",
            S3Address("music", "", "http://127.0.0.1:9000", "eu-1"),
            id="a-server-of-ones-own",
        ),
    ],
)
def test_an_address_names_a_bucket_and_perhaps_a_server(url: str, address: S3Address) -> None:
    assert S3Address.parse(url) == address
    assert Settings.from_environ({"HEARTLINE_OBJECTS": url}).objects == url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("scylla://one", ScyllaAddress(("one",)), id="a-node"),
        pytest.param("scylla://one,10.0.0.2/", ScyllaAddress(("one", "10.0.0.2")), id="two"),
        pytest.param("scylla://one:9043/ours", ScyllaAddress(("one",), 9043, "ours"), id="a-port"),
        pytest.param("scylla://[::1]:9043", ScyllaAddress(("::1",), 9043), id="an-ipv6-address"),
    ],
)
def test_an_address_names_nodes_and_perhaps_a_keyspace(url: str, address: ScyllaAddress) -> None:
    assert ScyllaAddress.parse(url) == address
    assert Settings.from_environ({"HEARTLINE_STORE": url}).store == url


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://ab",
        "s3://music?",
        "s3://music?endpoint=ftp://host",
        "s3://music?endpoint=http://key:secret@host",
        "s3://music?region=",
        "s3://music?key=secret",
        "s3://music/../other",
        "s3://key:secret@music",
        "s3://MUSIC",
        "http://music",
    ],
)
def test_what_names_no_bucket_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(BadSettings, match="HEARTLINE_OBJECTS: wants s3://"):
        Settings.from_environ({"HEARTLINE_OBJECTS": url})


@pytest.mark.parametrize(
    "url",
    [
        "redis://one:6379",
        "redis://one:6379/",
        "redis://10.0.0.2:6379/3",
        "redis://[::1]:6379/0",
        "redis://:secret@one:6379",
        "redis://ann:s%40cret@one:6379/1",
        "rediss://one:6380",
    ],
)
def test_a_redis_may_have_a_password_and_a_database(url: str) -> None:
    assert RedisAddress.parse(url) == RedisAddress(url)
    assert Settings.from_environ({"HEARTLINE_PRESENCE": url}).presence == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://one",
        "redis://one:0",
        "redis://one:65536",
        "redis://one:6379,two:6379",
        "redis://one:6379/a",
        "redis://one:6379?timeout=1",
        "redis://ann@one:6379",
        "redis://:a:b@one:6379",
        "unix:///redis.sock",
        "one:6379",
    ],
)
def test_what_is_no_redis_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="HEARTLINE_PRESENCE: wants redis://"):
        Settings.from_environ({"HEARTLINE_PRESENCE": url})


@pytest.mark.parametrize(
    "url", ["redis://:hunter2@one", "redis://u:hun@ter2@one:1", "x://hunter2@"]
)
def test_a_password_is_in_no_message(url: str) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_environ({"HEARTLINE_PRESENCE": url})
    good = Settings.from_environ({"HEARTLINE_PRESENCE": "redis://:hunter2@one:1"})

    assert "ter2" not in f"{refused.value} {good!r} {RedisAddress(url)!r}"


@pytest.mark.parametrize(
    "url",
    [
        "scylla://",
        "scylla://one:0",
        "scylla://one:9042,two:9043",
        "scylla://one,",
        "scylla://one/Ours",
        "scylla://one/a/b",
        "scylla://one/" + "k" * 49,
        "scylla://one/ours;drop",
        "cassandra://one",
        "one",
    ],
)
def test_what_is_no_address_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="HEARTLINE_STORE: wants scylla://"):
        Settings.from_environ({"HEARTLINE_STORE": url})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("opensearch://one", OpenSearchAddress(("http://one:9200",)), id="a-node"),
        pytest.param(
            "opensearch://one,10.0.0.2:9201,[::1]:9202/music",
            OpenSearchAddress(
                ("http://one:9200", "http://10.0.0.2:9201", "http://[::1]:9202"), "music"
            ),
            id="nodes-and-a-name",
        ),
        pytest.param(
            "opensearchs://ann:p%40ss@one?shards=12&replicas=2",
            OpenSearchAddress(("https://one:9200",), shards=12, replicas=2, login=("ann", "p@ss")),
            id="tls-a-login-and-copies",
        ),
        pytest.param(
            "opensearch://one/?replicas=0",
            OpenSearchAddress(("http://one:9200",), replicas=0),
            id="one-copy",
        ),
    ],
)
def test_an_address_names_nodes_of_a_search_engine(url: str, address: OpenSearchAddress) -> None:
    assert OpenSearchAddress.parse(url) == address
    assert Settings.from_environ({"HEARTLINE_SEARCH": url}).search == url
    assert "p@ss" not in repr(address)
    assert "p%40ss" not in repr(Settings.from_environ({"HEARTLINE_SEARCH": url}))


@pytest.mark.parametrize(
    "url",
    [
        "opensearch://",
        "opensearch://one,",
        "opensearch://one:0",
        "opensearch://one:65536",
        "opensearch://one/Music",
        "opensearch://one/_all",
        "opensearch://one/a/b",
        "opensearch://one?shards=0",
        "opensearch://one?shards=four",
        "opensearch://one?replicas=-1",
        "opensearch://one?copies=2",
        "opensearch://user@one",
        "http://one:9200",
    ],
)
def test_what_names_no_search_engine_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="HEARTLINE_SEARCH: wants opensearch://"):
        Settings.from_environ({"HEARTLINE_SEARCH": url})
