from importlib.resources import files

from domain.markets import MARKETS, is_offered, shared


def test_markets_are_the_countries_of_the_tz_database_and_kosovo() -> None:
    lines = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text().splitlines()
    assigned = {line[:2] for line in lines if not line.startswith("#")}

    assert set(MARKETS) == assigned | {"XK"}


def test_an_offer_without_markets_is_for_all_of_them() -> None:
    assert is_offered("DE")
    assert is_offered("DE", None, ("DE", "AT"))
    assert not is_offered("DE", None, ())
    assert not is_offered("DE", ("DE",), ("AT",))


def test_codes_are_shared() -> None:
    copied = shared(["".join(["D", "E"]), "AT"])

    assert copied == ("DE", "AT")
    assert copied[0] is MARKETS["DE"]
