"""The token and the cookie made of it."""

from pathlib import Path

import pytest

from digitwatch.web.auth_token import COOKIE_SECONDS, TokenError, is_token, new_cookie, read_token, session_of

TOKEN = "a-long-enough-token"


def written(base: Path, text: str, mode: int = 0o640) -> Path:
    """Write a token file."""
    path = base / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_file_holds_the_token(tmp_path: Path) -> None:
    """White space around it does not belong to it."""
    assert read_token(written(tmp_path, f" {TOKEN}\n")) == TOKEN


@pytest.mark.parametrize(("text", "mode"), [("short", 0o640), ("", 0o600), (TOKEN, 0o644), (TOKEN, 0o602)])
def test_a_weak_token_is_refused(tmp_path: Path, text: str, mode: int) -> None:
    """Too short, or open to everybody on the machine."""
    with pytest.raises(TokenError):
        read_token(written(tmp_path, text, mode))


def test_a_missing_file_is_reported_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(TokenError, match="token_urlsafe"):
        read_token(tmp_path / "absent")


@pytest.mark.parametrize("given", ["", "a-long-enough-toke", "a-long-enough-token ", "ä", "\ud800"])
def test_only_the_exact_token_is_accepted(given: str) -> None:
    """No similar text is accepted, and no input raises."""
    assert is_token(TOKEN, TOKEN)
    assert not is_token(TOKEN, given)


def test_a_cookie_holds_the_end_of_its_session() -> None:
    """Thirty days after it was made; with another token it is worth nothing."""
    cookie = new_cookie(TOKEN, now=1000.0)
    session = session_of(TOKEN, cookie)

    assert session is not None and session.until == 1000 + COOKIE_SECONDS
    assert session_of("another-long-token", cookie) is None


@pytest.mark.parametrize("forged", ["", "..", "9.9.9", "99999999999.x.", "9" * 5000, "٣.x.y", "1.\ud800.ä"])
def test_a_forged_cookie_is_worth_nothing(forged: str) -> None:
    """Whatever a visitor makes up."""
    assert session_of(TOKEN, forged) is None


def test_a_cookie_cannot_be_prolonged() -> None:
    """The end of its time is signed."""
    assert session_of(TOKEN, "9" + new_cookie(TOKEN, now=1000.0)) is None
