"""The way in where there is a token: typed once, then a cookie proves it."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digitwatch.web.auth_token import COOKIE_SECONDS, is_token, new_cookie
from digitwatch.web.context import desk_of, visitor_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.security import COOKIE

LONGEST = 5000  # bytes of what is sent


def ask(request: Request) -> Response:
    """Show the form."""
    if not desk_of(request).site.token:
        return RedirectResponse("/", 303)
    return desk_of(request).answer("login.html", trouble="")


async def take(request: Request) -> Response:
    """Let in who knows the token; others may try again, ever more slowly."""
    desk = desk_of(request)
    if wait := desk.logins.wait(visitor_of(request)):
        trouble = f"Too many attempts: wait {wait} seconds."
        return desk.answer("login.html", 429, trouble=trouble)
    try:
        body = await small_body(request, LONGEST)
    except BodyTooLargeError as error:
        return desk.answer("login.html", 413, trouble=str(error))
    given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
    if not desk.site.token or not is_token(desk.site.token, given):
        return desk.answer("login.html", 403, trouble="That is not the token.")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        new_cookie(desk.site.token),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.headers.get("origin", "").startswith("https://"),
    )
    return answer


def leave(request: Request) -> Response:
    """Forget the visitor."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer
