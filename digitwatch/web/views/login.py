"""Sign-in with the token, after which a cookie proves the session, and sign-out."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digitwatch.web.access import TooManyAttemptsError
from digitwatch.web.auth_token import COOKIE_SECONDS
from digitwatch.web.context import context_of, visitor_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.security import COOKIE

LONGEST = 5000  # bytes of the form


def ask(request: Request) -> Response:
    """Show the form."""
    if not context_of(request).settings.token:
        return RedirectResponse("/", 303)
    return context_of(request).answer("login.html", problem="")


async def take(request: Request) -> Response:
    """Start a session for a visitor who knows the token."""
    context = context_of(request)
    try:
        body = await small_body(request, LONGEST)
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not context.access.has_token(given, visitor_of(request)):
            return context.answer("login.html", 403, problem="Wrong token.")
    except BodyTooLargeError as error:
        return context.answer("login.html", 413, problem=str(error))
    except TooManyAttemptsError as error:
        refusal = context.answer("login.html", 429, problem=str(error))
        refusal.headers["retry-after"] = str(error.wait_s)
        return refusal
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        context.access.start_session(),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.headers.get("origin", "").startswith("https://"),
    )
    return answer


def leave(request: Request) -> Response:
    """End the session of the visitor."""
    context_of(request).access.end_session(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer
