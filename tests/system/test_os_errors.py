"""Errors of the operating system, distinguished from bugs."""

import _thread

import pytest

from digitwatch.system.os_errors import is_thread_limit


def test_a_refused_thread_is_recognised() -> None:
    """CPython reports it as a RuntimeError; only its text identifies it."""
    with pytest.raises(RuntimeError) as refused:
        while True:
            _thread.stack_size(1 << 46)  # more than the address space: refused as under ulimit -u
            try:
                _thread.start_new_thread(lambda: None, ())
            finally:
                _thread.stack_size(0)

    assert is_thread_limit(refused.value)
    assert not is_thread_limit(RuntimeError("Set changed size during iteration"))
    assert not is_thread_limit(OSError("can't start new thread"))
