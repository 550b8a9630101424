from pathlib import Path

import pytest

from tests.servers import programs
from tests.servers.programs import Missing, go_program, jars, java, jdk, program


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is installed, and nothing can be."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(programs, "JAVA_HOMES", tmp_path)


def test_a_missing_program_is_named_with_the_package_that_has_it() -> None:
    with pytest.raises(Missing, match=r"no redis-server here; .*apt-get install redis-server"):
        program("redis-server", "redis-server")


def test_missing_java_is_named_with_its_package() -> None:
    with pytest.raises(
        Missing, match=r"no Java 17 here; .*apt-get install openjdk-17-jre-headless"
    ):
        java()


def test_missing_maven_leaves_nothing_half_done(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no mvn here"):
        jars("kafka", tmp_path / "programs")

    assert not (tmp_path / "programs").exists()


def test_missing_go_is_a_reason_to_go_without(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no go here"):
        go_program("versitygw", "example.org/versitygw@v1.0.0", tmp_path / "programs")


def a_java(folder: Path, version: str, beside: str) -> None:
    """Put what calls itself a Java, and a program beside it."""
    (folder / "bin").mkdir(parents=True)
    for name in ("java", beside):
        program = folder / "bin" / name
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        program.chmod(0o755)


def test_a_java_without_a_compiler_runs_no_source(tmp_path: Path) -> None:
    a_java(tmp_path / "java-17", "17.0.15", beside="keytool")

    assert java() == tmp_path / "java-17" / "bin" / "java"
    with pytest.raises(
        Missing, match=r"no Java 17 with a compiler here; .*apt-get install openjdk-17-jdk-headless"
    ):
        jdk()


def test_a_java_with_a_compiler_does_for_both(tmp_path: Path) -> None:
    a_java(tmp_path / "java-17", "17.0.15", beside="javac")

    assert jdk() == java()


def test_another_java_is_not_taken_for_the_right_one(tmp_path: Path) -> None:
    a_java(tmp_path / "jdk-17-lookalike", "21.0.2", beside="javac")

    with pytest.raises(Missing, match="no Java 17"):
        java()
