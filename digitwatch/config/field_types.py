"""How single values of config.yaml are understood: paths, sizes, addresses."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field
from pydantic_core import PydanticCustomError


def address(text: str) -> tuple[str, int]:
    """Give host and port of `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.

    Raises:
        ValueError: it is no such text.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or (":" in bare) != (host != bare) or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080")
    return bare, int(port)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address; a name other than localhost may be any."""
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
        raise ValueError("expected the home of a user of this machine behind ~") from None


def of_a_user_that_exists(text: str) -> str:
    """Give a text that may be a path as it is; refuse the home of a user that this machine does not have."""
    _as_path(text)
    return text


def _as_size(value: object) -> object:
    """Let pydantic parse "200 MB"; a bare number means bytes and is taken as it is."""
    if not isinstance(value, str):
        return value
    try:
        return ByteSize._validate(value, None)  # type: ignore[arg-type]
    except PydanticCustomError:
        raise ValueError('expected a number of bytes or a text such as "200 MB"') from None


def _no_control_characters(path: Path) -> Path:
    if any(character < " " for character in str(path)):
        raise ValueError("a path without control characters expected")
    return path


def _of_an_address(text: str) -> str:
    address(text)
    return text


FilePath = Annotated[Path, BeforeValidator(_as_path), AfterValidator(_no_control_characters)]
Size = Annotated[int, BeforeValidator(_as_size), Field(ge=0)]
Address = Annotated[str, AfterValidator(_of_an_address)]
