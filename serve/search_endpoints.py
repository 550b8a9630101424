"""The endpoints that search the catalogue."""

from serve.catalogue_endpoints import MARKET
from serve.endpoints import Endpoint, Parameter
from serve.paging import LIMITS, USUAL_LIMIT
from serve.search import OFFSETS, SUGGESTED, TYPES, USUALLY_SUGGESTED, Search
from serve.search_bodies import Found, Suggestions

SOMETHING = {"type": "string", "pattern": r"\S"}
ENDPOINTS: tuple[Endpoint[Search], ...] = (
    Endpoint(
        "GET",
        "/v1/search",
        Search.search,
        summary="Tracks, albums and artists that may be meant, the likeliest first",
        parameters=(
            Parameter(
                "q",
                "Words, phrases in quotes, and filters: artist: album: track: genre: year:1990-1995"
                " isrc: upc: tag:new",
                SOMETHING,
                required=True,
            ),
            Parameter(
                "type",
                f"Some of {', '.join(TYPES)}, separated by commas; usually all but playlists",
                {"type": "string", "pattern": f"^({'|'.join(TYPES)})(,({'|'.join(TYPES)}))*$"},
            ),
            MARKET,
            Parameter(
                "limit",
                "How many of each type at most",
                {
                    "type": "integer",
                    "minimum": LIMITS[0],
                    "maximum": LIMITS[-1],
                    "default": USUAL_LIMIT,
                },
            ),
            Parameter(
                "offset",
                "How many of each type to pass over",
                {"type": "integer", "minimum": OFFSETS[0], "maximum": OFFSETS[-1], "default": 0},
            ),
        ),
        scope=None,
        answers={200: Found},
        errors=(400, 503),
    ),
    Endpoint(
        "GET",
        "/v1/suggest",
        Search.suggest,
        summary="Names that begin as what was typed so far",
        parameters=(
            Parameter("q", "What was typed so far", SOMETHING, required=True),
            Parameter(
                "limit",
                "How many at most",
                {
                    "type": "integer",
                    "minimum": SUGGESTED[0],
                    "maximum": SUGGESTED[-1],
                    "default": USUALLY_SUGGESTED,
                },
            ),
        ),
        scope=None,
        answers={200: Suggestions},
        errors=(400, 503),
    ),
)
