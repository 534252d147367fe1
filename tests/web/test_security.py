"""Refused requests: other websites, unknown host names, visitors without the token."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from visitor import Visitor, row, site, visiting, write

TOKEN = "a-long-enough-token"
BAD = '<img src=x onerror=alert(1)>"&.png'


@pytest.fixture(scope="module")
def open_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Serve a page that needs no token, to all tests, none of which changes it."""
    with visiting(site(tmp_path_factory.mktemp("open"))) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def closed_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Serve a page that needs a token, to all tests that do not sign in."""
    with visiting(site(tmp_path_factory.mktemp("closed"), token=TOKEN)) as visitor:
        yield visitor


@pytest.fixture
def login_page(tmp_path: Path) -> Iterator[Visitor]:
    """Serve a page that needs a token, to a test that signs in."""
    with visiting(site(tmp_path, token=TOKEN)) as visitor:
        yield visitor


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""])
def test_an_unknown_host_name_is_refused(open_page: Visitor, name: str) -> None:
    """A foreign name that resolves to our address (DNS rebinding) is refused."""
    assert open_page.get("/", headers={"host": name}).status_code in (400, 421)


@pytest.mark.parametrize("name", ["localhost:1234", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_our_own_names_are_known(open_page: Visitor, name: str) -> None:
    """localhost and addresses are welcome."""
    assert open_page.get("/", headers={"host": name}).status_code == 200


def test_names_of_the_settings_are_known(tmp_path: Path) -> None:
    """web.hosts adds the name of a proxy."""
    with visiting(site(tmp_path, hosts=("Scans.example.org",))) as visitor:
        assert visitor.get("/", headers={"host": "scans.example.org"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    ],
)
def test_requests_of_other_websites_are_refused(open_page: Visitor, headers: dict[str, str]) -> None:
    """Neither pictures nor forms of another site reach the page, not even of another port of this machine."""
    assert open_page.get("/metrics", headers=headers).status_code == 403
    assert open_page.post("/corrections", content=b"{}", headers=open_page.ours | headers).status_code == 403


def test_a_link_from_elsewhere_is_followed(open_page: Visitor) -> None:
    """Somebody may keep the page's address in a wiki."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}

    assert open_page.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("lacks", ["origin", "x-digitwatch"])
@pytest.mark.parametrize("path", ["/corrections", "/upload", "/logout"])
def test_a_form_needs_what_only_our_pages_hold(open_page: Visitor, lacks: str, path: str) -> None:
    """Without the origin or the secret of our own pages nothing is changed."""
    headers = {name: value for name, value in open_page.ours.items() if name != lacks}

    assert open_page.post(path, content=b"x", headers=headers | {"x-file-name": "a.png"}).status_code == 403
    assert open_page.post(path, headers=open_page.ours | {"x-digitwatch": "guess"}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO"])
def test_other_methods_are_refused(open_page: Visitor, method: str) -> None:
    """Only GET, HEAD and POST are known."""
    assert open_page.request(method, "/").status_code in (400, 405)


def test_every_response_has_the_security_headers(open_page: Visitor) -> None:
    """Pages, refusals and errors carry the policy."""
    answers = [open_page.get("/"), open_page.get("/nowhere"), open_page.get("/", headers={"host": "evil.example"})]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_names_are_escaped_everywhere(tmp_path: Path) -> None:
    """A file name that is HTML stays text, in the list, in one reading, in a search and in events."""
    settings = site(tmp_path)
    write(tmp_path, row(1, file=BAD, reason=BAD), files=False)
    with visiting(settings) as visitor:
        texts = [
            visitor.get("/").text,
            visitor.get(f"/reading/{row(1).id}/1").text,
            visitor.get("/", params={"name": BAD}).text,
            visitor.get("/numbers").text,
            visitor.get("/list").text,
        ]

    assert all("<img src=x" not in text for text in texts)
    assert sum("&lt;img src=x" in text for text in texts) >= 3


@pytest.mark.parametrize("path", ["/", "/queue", "/metrics", "/day/2026-11-22.csv", "/live", "/small/a/1", "/docs"])
def test_without_the_token_nothing_is_shown(login_page: Visitor, path: str) -> None:
    """A visitor without the token gets the login form."""
    assert login_page.get(path).status_code == 401
    assert login_page.get(path, headers={"accept": "text/html"}).headers["location"] == "/login"
    assert login_page.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert login_page.get(path, headers={"cookie": "digitwatch=99999999999.x.00"}).status_code == 401


def test_the_health_may_be_asked_without_the_token(closed_page: Visitor) -> None:
    """A load balancer needs one word and gets no more."""
    assert closed_page.get("/healthz").text == "ok\n"


def test_a_program_shows_the_token_in_a_header(closed_page: Visitor) -> None:
    """Prometheus and scripts need no form, and no secret of our pages either."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    assert closed_page.get("/metrics", headers=headers).status_code == 200
    assert closed_page.post("/corrections", content=b"{}", headers=headers).status_code == 400


def test_the_token_starts_a_session(login_page: Visitor) -> None:
    """The form gives a cookie that scripts and other sites cannot use."""
    assert login_page.post("/login", data={"token": "wrong"}).status_code == 403
    answer = login_page.post("/login", data={"token": TOKEN})

    assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite" in answer.headers["set-cookie"]
    assert TOKEN not in answer.headers["set-cookie"]
    assert login_page.get("/").status_code == 200
    assert login_page.post("/logout", headers=login_page.ours).status_code == 303
    assert login_page.get("/").status_code == 401


def test_guessing_the_token_is_slow(login_page: Visitor) -> None:
    """After ten wrong tokens there is a pause, also for the right one."""
    answers = [login_page.post("/login", data={"token": str(n)}).status_code for n in range(12)]

    assert answers[:10] == [403] * 10
    assert answers[-1] == 429
    assert login_page.post("/login", data={"token": TOKEN}).status_code == 429


@pytest.mark.parametrize("path", ["/metrics", "/login", "/healthz"])
def test_guessing_by_bearer_is_as_slow(login_page: Visitor, path: str) -> None:
    """Any request that shows a token has the same limit, and a login form does not get around it."""
    method = "GET" if path == "/metrics" else "POST"
    guesses = [{"authorization": f"Bearer {number}"} for number in range(12)]
    codes = [login_page.request(method, path, headers=headers).status_code for headers in guesses]
    right = login_page.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    assert codes[-1] == 429 and 429 not in codes[:5]
    assert right.status_code == 429 and 1 <= int(right.headers["retry-after"]) <= 10
    assert login_page.post("/login", data={"token": TOKEN}).status_code == 429


def test_guessing_cookies_is_limited_and_ends_no_session(login_page: Visitor) -> None:
    """Forged cookies count like wrong tokens; a session that was begun before goes on."""
    login_page.post("/login", data={"token": TOKEN})
    ours = login_page.cookies["digitwatch"]
    login_page.cookies.clear()
    forged = [{"cookie": f"digitwatch=99999999999.{number}.00"} for number in range(12)]
    answers = [login_page.get("/", headers=headers) for headers in forged]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert "max-age=0" in answers[0].headers["set-cookie"].lower()
    assert login_page.get("/", headers={"cookie": f"digitwatch={ours}"}).status_code == 200


def test_the_right_token_is_never_limited(login_page: Visitor) -> None:
    """Only wrong ones count."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    assert {login_page.get("/metrics", headers=headers).status_code for _ in range(30)} == {200}


def test_signing_out_ends_the_session(tmp_path: Path) -> None:
    """The cookie is worth nothing afterwards, also after a restart; other sessions go on."""
    settings = site(tmp_path, token=TOKEN)
    with visiting(settings) as page:
        cookies = [page.post("/login", data={"token": TOKEN}).cookies["digitwatch"] for _ in range(2)]
        page.cookies.clear()
        ended, other = ({"cookie": f"digitwatch={cookie}"} for cookie in cookies)
        page.post("/logout", headers=page.ours | ended)
        codes = [page.get("/", headers=headers).status_code for headers in (ended, other)]
    with visiting(settings) as page:
        later = [page.get("/", headers=headers).status_code for headers in (ended, other)]

    assert codes == later == [401, 200]
    assert settings.ended_sessions.stat().st_mode & 0o777 == 0o600


def test_the_login_page_holds_no_secret(closed_page: Visitor) -> None:
    """A visitor who has not signed in does not get the secret of our HTML."""
    assert closed_page.app.state.context.proof not in closed_page.get("/login").text


@pytest.mark.parametrize(
    "path",
    [
        "/whole/../../etc/passwd/1",
        "/whole/..%2f..%2f..%2fetc%2fpasswd/1",
        "/scan/%2e%2e/1",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/day/..%2f..%2fetc%2fpasswd.csv",
        "/day/2026-11-22%00.csv",
        "/reading/x'%20OR%201=1--/1",
    ],
)
def test_only_known_ids_lead_to_files(open_page: Visitor, path: str) -> None:
    """No path in an address leads anywhere."""
    answer = open_page.send(httpx.Request("GET", httpx.URL(str(open_page.base_url)).copy_with(raw_path=path.encode())))

    assert answer.status_code == 404
    assert "root:" not in answer.text and "import" not in answer.text
