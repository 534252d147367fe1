"""`digitwatch check` and the page: switched off, lacking its parts or its secret, at an address taken or not ours."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitwatch.diagnostics import check_web_port
from digitwatch.web import extras


def lines(listen: str | None, token_file: Path | None = None) -> str:
    """Give the lines about the page."""
    return "\n".join(map(str, check_web_port.listening(listen, token_file)))


@pytest.fixture
def taken() -> Iterator[str]:
    """Take an address; nobody answers there."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def test_a_page_that_is_off_is_well() -> None:
    """Nothing is tried then."""
    assert lines(None).startswith("ok    page: switched off")


def test_an_address_that_is_free() -> None:
    """It is taken for a moment, and free again."""
    assert lines("127.0.0.1:0").startswith("ok    page: 127.0.0.1:0 is free")


def test_an_address_that_is_taken(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By somebody who is no page: told with the command that names him."""
    monkeypatch.setattr(check_web_port, "SECONDS", 0.1)

    assert lines(taken).startswith(f"MEND  page: {taken} is taken")
    assert "ss -ltnp" in lines(taken)


def test_a_page_that_runs_answers(tmp_path: Path) -> None:
    """The address is taken by the page itself, which is as it should be."""
    from visitor import site, visiting

    with visiting(site(tmp_path)) as page:
        assert "it answers at" in lines(f"127.0.0.1:{page.base_url.port}")


def test_an_address_that_is_not_ours() -> None:
    """An address of another machine (RFC 5737), and a name that nobody knows (RFC 6761)."""
    assert "name an address of this machine" in lines("192.0.2.1:8080")
    assert "is no name or address" in lines("nobody.invalid:8080")


def test_missing_parts_and_a_secret_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told in one go."""
    monkeypatch.setattr(extras, "PARTS", ("no_such_package",))
    told = lines("127.0.0.1:0", tmp_path / "absent")

    assert "MEND  page: this needs no_such_package: pip install 'digitwatch[web]'" in told
    assert f"MEND  page: web.token_file: {tmp_path / 'absent'} cannot be read" in told
