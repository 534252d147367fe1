"""The sink `webhook`: signed, over TLS with a checked certificate."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiver import Receiver

from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError, RefusedError
from digitwatch.sinks.webhook import Target, WebhookSink, signature

EVENT = Event("reading", "s/1", "s", "", {"prediction": "007"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a web server."""
    found = Receiver()
    yield found
    found.down()


def test_a_body_is_signed(receiver: Receiver) -> None:
    """The receiver computes the same HMAC from the body and the shared secret; the key comes as a header too."""
    sink = WebhookSink("web", Target(receiver.url, secret="secret", token="token"))
    sink.deliver([EVENT])
    sink.close()
    [headers], [body] = receiver.headers, receiver.bodies

    assert headers["X-Digitwatch-Signature-256"] == f"sha256={signature('secret', body)}"
    assert (headers["Idempotency-Key"], headers["Authorization"]) == ("s/1", "Bearer token")
    assert receiver.events == [{"event": "reading", "key": "s/1", "prediction": "007"}]


@pytest.mark.parametrize(("status", "error"), [(302, DeliveryError), (503, DeliveryError), (422, RefusedError)])
def test_answers_other_than_2xx_are_errors(receiver: Receiver, status: int, error: type[Exception]) -> None:
    """No redirect is followed; the message names the server without the path, which may hold a secret."""
    receiver.answer = lambda _: status
    sink = WebhookSink("web", Target(receiver.url))
    with pytest.raises(error, match=f"http://127.0.0.1:{receiver.port} answered {status}") as raised:
        sink.deliver([EVENT])
    sink.close()

    assert "/in" not in str(raised.value)


def test_a_connection_that_was_closed_meanwhile_is_opened_again(receiver: Receiver) -> None:
    """A server may close a kept connection at any time: that is no error."""
    sink = WebhookSink("web", Target(receiver.url))
    sink.deliver([EVENT])
    receiver.down()
    receiver.up()
    sink.deliver([EVENT])
    sink.close()

    assert len(receiver.events) == 2


def test_only_a_trusted_certificate_is_accepted(tmp_path: Path, receiver: Receiver) -> None:
    """One that no authority has signed is refused, unless `ca_file` names it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    try:
        subprocess.run([*command, *more], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    receiver.down()
    receiver.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    receiver.context.load_cert_chain(certificate, key)
    receiver.up()
    with pytest.raises(DeliveryError, match="certificate verify failed"):
        WebhookSink("web", Target(receiver.url)).deliver([EVENT])
    sink = WebhookSink("web", Target(receiver.url, certificates=certificate))
    sink.deliver([EVENT])
    sink.close()

    assert len(receiver.events) == 1
