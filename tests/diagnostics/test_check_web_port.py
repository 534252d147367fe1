"""Checks of the web interface: switched off, missing packages or token, an address in use or of another machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitwatch.diagnostics import check_web_port
from digitwatch.web import extras


def lines(listen: str | None, token_file: Path | None = None) -> str:
    """Return the lines about the web interface."""
    return "\n".join(map(str, check_web_port.web_port(listen, token_file)))


@pytest.fixture
def taken() -> Iterator[str]:
    """Bind an address on which no server answers."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def test_a_switched_off_web_interface_is_fine() -> None:
    """Nothing is tried then."""
    assert lines(None).startswith("ok    web: switched off")


def test_an_address_that_is_free() -> None:
    """It is taken for a moment, and free again."""
    assert lines("127.0.0.1:0").startswith("ok    web: 127.0.0.1:0 is free")


def test_an_address_that_is_taken(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program listens there: the line names it."""
    monkeypatch.setattr(check_web_port, "SECONDS", 0.1)

    assert lines(taken).startswith(f"FAIL  web: {taken} is in use")
    assert f"(process {os.getpid()})" in lines(taken)


def test_a_running_web_interface_answers(tmp_path: Path) -> None:
    """The address is in use by digitwatch itself, which is no fault."""
    from visitor import site, visiting

    with visiting(site(tmp_path)) as page:
        assert "digitwatch answers at" in lines(f"127.0.0.1:{page.base_url.port}")


def test_an_address_that_is_not_ours() -> None:
    """An address of another machine (RFC 5737), and a name that nobody knows (RFC 6761)."""
    assert "expected an address of this machine" in lines("192.0.2.1:8080")
    assert "is not a known host name or address" in lines("nobody.invalid:8080")


def test_missing_packages_and_a_missing_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are reported at once."""
    monkeypatch.setattr(extras, "PACKAGES", ("no_such_package",))
    found = lines("127.0.0.1:0", tmp_path / "absent")

    assert "FAIL  web: this needs no_such_package: pip install 'digitwatch[web]'" in found
    assert f"FAIL  web: web.token_file: {tmp_path / 'absent'} cannot be read" in found
