"""Types of single values of config.yaml: paths, sizes, addresses."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field
from pydantic_core import PydanticCustomError


def address(text: str) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.

    Raises:
        ValueError: the text has another form.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or (":" in bare) != (host != bare) or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080")
    return bare, int(port)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address; a name other than localhost may be any address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_path(value: object) -> object:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("expected a path")
    try:
        return Path(value).expanduser()
    except RuntimeError:  # ~NAME of a user that does not exist
        raise ValueError("expected ~ or ~NAME of a user of this machine") from None


def existing_user(text: str) -> str:
    """Return a text that may be a path unchanged; refuse ~NAME of a user that does not exist."""
    _as_path(text)
    return text


def _as_size(value: object) -> object:
    """Parse a size such as "200 MB" with pydantic; a bare number is in bytes."""
    if not isinstance(value, str):
        return value
    try:
        return ByteSize._validate(value, None)  # type: ignore[arg-type]
    except PydanticCustomError:
        raise ValueError('expected a number of bytes or a text such as "200 MB"') from None


def _no_control_characters(path: Path) -> Path:
    if any(character < " " for character in str(path)):
        raise ValueError("expected a path without control characters")
    return path


def _valid_address(text: str) -> str:
    address(text)
    return text


def _pattern(text: str) -> str:
    if not text.strip("*?") or "/" in text or any(character < " " for character in text):
        raise ValueError('expected a pattern of single names, such as "*.bak" or "@eaDir", that leaves other names')
    return text


FilePath = Annotated[Path, BeforeValidator(_as_path), AfterValidator(_no_control_characters)]
NamePattern = Annotated[str, AfterValidator(_pattern)]
Size = Annotated[int, BeforeValidator(_as_size), Field(ge=0)]
Address = Annotated[str, AfterValidator(_valid_address)]
