"""The sections of the list `sinks` in config.yaml, one model for each kind of sink."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from digitwatch.config.field_types import FilePath


def _url(text: str) -> str:
    parts = urlsplit(text)
    try:
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number
        is_valid = False
    if not is_valid or parts.username is not None or any(character <= " " for character in text):
        raise ValueError("expected a URL such as https://example.org/digitwatch, without a user")
    return text


def _topic(text: str) -> str:
    if not text or text[0] in "/$" or text[-1] == "/" or any(character in "#+\0" for character in text):
        raise ValueError("expected an MQTT topic such as home/meter, without wildcards")
    return text


class _Sink(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")


class CommandSection(_Sink):
    """A program that is run for each event."""

    type: Literal["command"]
    command: list[str] = Field(min_length=1)
    timeout: float = Field(30.0, gt=0, le=3600)
    start: Literal["now", "beginning"] = "now"


class WebhookSection(_Sink):
    """A URL that each event is sent to."""

    type: Literal["webhook"]
    url: Annotated[str, AfterValidator(_url)]
    secret_file: FilePath | None = None
    token_file: FilePath | None = None
    ca_file: FilePath | None = None
    timeout: float = Field(10.0, gt=0, le=3600)
    start: Literal["now", "beginning"] = "now"


class SqliteSection(_Sink):
    """An SQLite file with a table of all readings."""

    type: Literal["sqlite"]
    path: FilePath
    start: Literal["now", "beginning"] = "beginning"


class MqttSection(_Sink):
    """An MQTT broker."""

    type: Literal["mqtt"]
    host: str = Field(min_length=1)
    port: int | None = Field(None, ge=1, le=65_535)
    topic: Annotated[str, AfterValidator(_topic)] = "digitwatch"
    discovery: Annotated[str, AfterValidator(_topic)] | None = None
    user: str = ""
    password_file: FilePath | None = None
    tls: bool = False
    ca_file: FilePath | None = None
    timeout: float = Field(10.0, gt=0, le=3600)
    start: Literal["now", "beginning"] = "now"


SinkSection = Annotated[CommandSection | WebhookSection | SqliteSection | MqttSection, Field(discriminator="type")]

PATHS = ("path", "secret_file", "token_file", "ca_file", "password_file")
"""Keys that hold paths, in whichever section has them."""

SECTIONS: dict[str, Any] = {
    "command": CommandSection,
    "webhook": WebhookSection,
    "sqlite": SqliteSection,
    "mqtt": MqttSection,
}
