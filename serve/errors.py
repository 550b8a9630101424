"""How a request that cannot be answered is answered: one shape, never a traceback.

    {"error": {"status": 422, "message": "week: not an ISO week …", "reason": "invalid", "field": "week"}}

``field`` is there when one field of the request is to blame.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.errors import InvalidWeek, Refused, Unavailable, UnknownZone, UnreadableRecord
from domain.fields import InvalidFields
from domain.playlists import BadEdit
from stores.login_attempts import TooManyAttempts
from stores.playlist_edits import StaleVersion, TooLong
from stores.playlist_errors import Forbidden, NoPlaylist
from stores.playlist_shelves import ShelfFull

RETRY_AFTER_S = 2  # a shard or a replica that died is back within that

logger = logging.getLogger(__name__)


class Error(Struct, frozen=True, omit_defaults=True):
    """What went wrong: the HTTP status, a sentence, a name for programs, the field to blame."""

    status: int
    message: str
    reason: str
    field: str | None = None


class ErrorDocument(Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: Error


class ApiError(Exception):
    """Raised by a handler that cannot answer: becomes the error document with that status."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, reason)
        self.status, self.message, self.reason = status, message, reason
        self.field, self.headers = field, headers

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.message}"

    def response(self) -> Response:
        """Write this error as the answer to a request."""
        document = ErrorDocument(Error(self.status, self.message, self.reason, self.field))
        return Response(
            msgspec.json.encode(document),
            status_code=self.status,
            headers=self.headers,
            media_type="application/json",
        )


def invalid(field: str, message: str) -> ApiError:
    """Blame one field of a well-formed request: 422."""
    return ApiError(422, f"{field}: {message}", "invalid", field=field)


def bad(field: str, message: str) -> ApiError:
    """Blame one field of a request as Spotify does: 400."""
    return ApiError(400, f"{field}: {message}", "invalid", field=field)


def away(error: Unavailable) -> ApiError:
    """Tell that a backend cannot answer now: 503; what it said goes to the log only."""
    logger.warning("backend away: %s", error)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return ApiError(503, "a backend is away, try again", "unavailable", headers=headers)


def damaged(error: UnreadableRecord) -> ApiError:
    """Tell that stored rows cannot be read: 503, since they can be mended."""
    logger.error("stored rows cannot be read, `heartline recount --repair` mends them: %s", error)
    message = "stored rows are damaged: the operator can mend them with heartline recount --repair"
    return ApiError(503, message, "damaged")


def internal() -> ApiError:
    """Tell of a fault of ours without telling what it is: 500."""
    return ApiError(500, "internal error", "internal")


def _of_playlists(error: Exception) -> ApiError | None:
    match error:
        case NoPlaylist():
            return ApiError(404, "there is no such playlist", "not_found")
        case BadEdit():
            return bad(error.field, error.wants)
        case InvalidFields():
            return bad("fields", str(error))
        case Forbidden() | TooLong() | ShelfFull():
            return ApiError(
                403, str(error), "forbidden" if isinstance(error, Forbidden) else "full"
            )
        case StaleVersion():
            return ApiError(412, str(error), "stale_version")
    return None


def as_api_error(error: Exception) -> ApiError:
    """Find the answer to any exception; one that nobody expected is a 500."""
    match error:
        case ApiError():
            return error
        case HTTPException():
            return _of_status(error)
        case Refused():
            return _refused(error)
        case Unavailable():
            return away(error)
        case UnreadableRecord():
            return damaged(error)
        case _:
            return _of_playlists(error) or internal()


def _of_status(error: HTTPException) -> ApiError:
    phrase = HTTPStatus(error.status_code).phrase
    reason = phrase.lower().replace(" ", "_")
    return ApiError(error.status_code, phrase, reason, headers=error.headers)


def _refused(error: Refused) -> ApiError:
    match error:
        case InvalidWeek():
            return invalid("week", str(error))
        case UnknownZone():
            return invalid("time_zone", str(error))
        case TooManyAttempts():
            headers = {"Retry-After": str(error.retry_after_s)}
            return ApiError(429, str(error), "too_many_attempts", headers=headers)
        case _:
            return _of_playlists(error) or ApiError(422, str(error), "invalid")


def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request whose handler raised *error*; log one that nobody expected."""
    if request.method == "OPTIONS" and isinstance(error, HTTPException) and error.headers:
        return Response(status_code=204, headers=error.headers)  # what 405 would have allowed
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # nobody reads it
    answer = as_api_error(error)
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed: %s %s", request.method, request.scope["path"], exc_info=error)
    return answer.response()
