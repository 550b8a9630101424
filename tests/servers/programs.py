"""The programs that servers are made of: found, installed by apt where we may, or fetched and built.

What is fetched lies in one directory, each program in a folder named after what it was made from, so
that another version is fetched anew and an interrupted fetch is not taken for a whole one.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

POMS = Path(__file__).parent / "poms"
JAVA = 17  # the one version that Kafka 4, Cassandra 5 and OpenSearch 2 run on
JAVA_HOMES = Path("/usr/lib/jvm")
SLOW_S = 900


class Missing(Exception):
    """Raised when a program is not here and cannot be installed; says what to do."""


def program(name: str, package: str) -> Path:
    """Find a program on the path, or install Debian's *package* that has it.

    :raises Missing: if it is not there and we may not install it.
    """
    found = shutil.which(name)
    if found is None:
        _apt_install(package, f"there is no {name} here")
        found = shutil.which(name)
    if found is None:
        raise Missing(f"there is no {name} here, also not with the package {package}")
    return Path(found)


def java() -> Path:
    """Find the `java` of a Java 17, or install it.

    :raises Missing: if it is not there and we may not install it.
    """
    return _had_java(f"openjdk-{JAVA}-jre-headless", f"there is no Java {JAVA} here", "java")


def jdk() -> Path:
    """Find the `java` of a Java 17 that also runs source, or install it.

    :raises Missing: if it is not there and we may not install it.
    """
    problem = f"there is no Java {JAVA} with a compiler here"
    return _had_java(f"openjdk-{JAVA}-jdk-headless", problem, "javac")


def jars(server: str, programs: Path) -> Path:
    """Fetch the jars of *server*'s pom from Maven Central; tells the folder that they are in."""
    pom = POMS / f"{server}.xml"
    home = programs / f"{server}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"
    if not home.exists():
        maven = program("mvn", "maven")
        fetched = _unfinished(home)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
        _run([str(maven), "--batch-mode", "--strict-checksums", "-q", "-f", str(pom), *goal])
        fetched.rename(home)
    return home


def go_program(name: str, module: str, programs: Path) -> Path:
    """Build a program from a Go *module* at its version (``path@v1.2.3``); tells where it is.

    :raises Missing: if there is no `go`.
    """
    home = programs / f"{name}-{module.rpartition('@')[2]}"
    if not home.exists():
        go = shutil.which("go")
        if go is None:
            raise Missing("there is no go here; to have this server, install Go 1.24 or later")
        built = _unfinished(home)
        _run([go, "install", module], {"GOBIN": str(built)})
        built.rename(home)
    return home / name


def _had_java(package: str, problem: str, beside: str) -> Path:
    if (found := _find_java(beside)) is None:
        _apt_install(package, problem)
        found = _find_java(beside)
    if found is None:
        raise Missing(f"{problem}: install one, and set JAVA_HOME to it")
    return found


def _find_java(beside: str) -> Path | None:
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(JAVA_HOMES.glob(f"*{JAVA}*"))
    found = [home / "bin" / "java" for home in homes]
    found += [Path(path)] if (path := shutil.which("java")) else []
    return next((path for path in found if _is_java(path, beside)), None)


def _is_java(path: Path, beside: str) -> bool:
    return path.resolve().with_name(beside).exists() and _java_version(path) == JAVA


def _java_version(path: Path) -> int | None:
    try:
        told = subprocess.run([path, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else None


def _apt_install(package: str, problem: str) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"{problem}; on Debian and Ubuntu: apt-get install {package}")
    quietly = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], quietly)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], quietly)


def _unfinished(home: Path) -> Path:
    unfinished = home.with_name(f"{home.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    return unfinished


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=SLOW_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} did not end within {SLOW_S} s") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Missing(f"{command[0]} failed: " + " / ".join(said[-5:]))
