"""How a command ends: the exit codes, and the refusal that carries one with a sentence for a person."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says at its end; stable interface (the large ones are those of sysexits.h)."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    BUG = 70
    TRY_LATER = 75
    CONFIG = 78


class CommandError(Exception):
    """The command cannot be carried out; carries the exit code and a sentence for a person."""

    def __init__(self, code: ExitCode, message: str) -> None:
        """Keep both."""
        self.code = code
        super().__init__(message)
