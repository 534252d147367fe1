"""Texts of operating system errors."""


def describe(error: OSError) -> str:
    """Return the message of the system and the path that it is about."""
    where = error.filename2 or error.filename
    return f"{error.strerror or error}{f': {where}' if where else ''}"


def is_thread_limit(error: BaseException) -> bool:
    """Return whether Python could not start a thread: a limit of processes, threads or memory, not a bug."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)
