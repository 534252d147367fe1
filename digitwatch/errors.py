"""The root of all exceptions of digitwatch and the exit code that each kind ends a command with.

Every package may import this module. The concrete classes stand in the modules that raise them:

    Exception
    ├── DigitwatchError                  70  a bug, unless a subclass says otherwise
    │   ├── InputError                    1  a scan, an upload or a correction is rejected; the others go on
    │   │   ├── ImageError                   recognition.image.decode
    │   │   ├── TruncatedError               recognition.image.containers
    │   │   ├── DamagedError                 recognition.image.containers
    │   │   ├── UnsupportedError             recognition.image.containers
    │   │   ├── UndecodableError             recognition.image.decoders
    │   │   ├── NotThereError                spool.filed
    │   │   ├── UnsupportedPatternError      forms.patterns
    │   │   ├── _UnreadableError             workers.task
    │   │   ├── RefusedError                 sinks.sink
    │   │   ├── BadAnswerError               web.views.review
    │   │   ├── BadTemplateError             web.views.forms
    │   │   ├── BodyTooLargeError            web.request_body
    │   │   └── UploadError                  web.views.upload
    │   ├── UsageError                    2  the arguments, or a file that they name, cannot be used
    │   │   ├── ModelError                   recognition.networks.digit_classifier
    │   │   ├── DataError                    training.data.digits
    │   │   ├── ExportError                  training.export.tflite
    │   │   ├── RecoverError                 training.export.tflite_to_keras
    │   │   ├── WrongOutputError             service.batch
    │   │   └── MergeError                   service.merge
    │   ├── TransientError               75  not possible now; a later try may succeed
    │   │   ├── AlreadyRunningError          spool.claims
    │   │   ├── BatchPaused                  service.batch
    │   │   ├── ClaimVanishedError           spool.archive
    │   │   ├── DeliveryError                sinks.sink
    │   │   ├── IndexDamagedError            spool.batch_index
    │   │   ├── InterruptedResponseError     web.response_pieces
    │   │   ├── NoEventsError                spool.fs_events
    │   │   ├── PositionLostError            spool.log_cursor
    │   │   ├── TooManyAttemptsError         web.access
    │   │   ├── WorkerDiedError              workers.process
    │   │   └── WorkerError                  workers.pool
    │   └── ConfigurationError           78  config.yaml, or a file that it names, must be changed
    │       ├── ConfigError                  config.settings
    │       ├── FormError                    forms.schema
    │       ├── NoModelError                 models.provisioning
    │       ├── RegistryError                models.registry
    │       └── TokenError                   web.auth_token
    └── OSError                          75  the operating system refused something
        └── AcrossDisksError                 spool.archive

The codes from 70 on are those of sysexits.h.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit status of the process; a stable interface."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    BUG = 70
    TRY_LATER = 75
    CONFIG = 78


class DigitwatchError(Exception):
    """Base class; the message is a sentence for a person: what was expected, what was found, what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG


class InputError(DigitwatchError):
    """A scan, an upload or a correction is rejected; everything else is processed."""

    exit_code = ExitCode.SOME_FAILED


class UsageError(DigitwatchError):
    """The arguments of a command, or a file that they name, cannot be used."""

    exit_code = ExitCode.USAGE


class TransientError(DigitwatchError):
    """The environment does not allow it now (disk full, folder missing); a later try may succeed."""

    exit_code = ExitCode.TRY_LATER


class ConfigurationError(DigitwatchError):
    """config.yaml, or a file that it names, must be changed first."""

    exit_code = ExitCode.CONFIG


def exit_code(error: DigitwatchError | OSError) -> ExitCode:
    """Return the code that a command ends with after `error`."""
    return error.exit_code if isinstance(error, DigitwatchError) else ExitCode.TRY_LATER


@contextmanager
def advice(text: str) -> Iterator[None]:
    """Add `text`, what to do or where, as a note (PEP 678) to a transient error raised inside the block."""
    try:
        yield
    except (TransientError, OSError) as error:
        error.add_note(text)
        raise
