"""The web interface's process beside the daemon: started, kept alive, informed, ended; reading never waits for it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from service import Service, until

from digitwatch.service import web_supervisor
from digitwatch.service.web_supervisor import WebSupervisor


def script(base: Path, text: str) -> list[str]:
    """Return a command in place of the web interface."""
    (base / "script.py").write_text(text)
    return [sys.executable, str(base / "script.py"), str(base / "out")]


ECHO = "import sys\nfor line in sys.stdin: open(sys.argv[1], 'a').write(line)\n"
ENDS = "import os, sys\nopen(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\nsys.exit(%d)\n"


def lines(base: Path) -> list[str]:
    """Return what the process wrote."""
    return (base / "out").read_text().splitlines() if (base / "out").exists() else []


def test_the_process_gets_the_state_and_ends_with_the_daemon(tmp_path: Path) -> None:
    """The state sent before it started reaches it too, and nothing twice."""
    kept = WebSupervisor(script(tmp_path, ECHO))
    kept.send(watching="events")
    kept.start()
    kept.send(watching="events")
    until(lambda: kept._process, "it is started")
    kept.send(watching="polling")
    until(lambda: len(lines(tmp_path)) == 2, "it has heard both")
    process = kept._process
    kept.stop()

    assert [json.loads(line)["watching"] for line in lines(tmp_path)] == ["events", "polling"]
    assert process is not None and process.poll() is not None


def test_a_page_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever more slowly, and the daemon says so."""
    monkeypatch.setattr(web_supervisor, "SHORTEST_PAUSE", 0.01)
    kept = WebSupervisor(script(tmp_path, ENDS % 1))
    kept.start()
    until(lambda: len(lines(tmp_path)) >= 3, "three starts")
    kept.stop()


@pytest.mark.parametrize("code", web_supervisor.PERMANENT)
def test_wrong_settings_are_not_tried_again(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another start would not change them."""
    monkeypatch.setattr(web_supervisor, "SHORTEST_PAUSE", 0.01)
    kept = WebSupervisor(script(tmp_path, ENDS % code))
    kept.start()
    kept._thread.join(30)

    assert not kept._thread.is_alive()
    assert len(lines(tmp_path)) == 1


def test_a_process_that_does_not_read_blocks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a full pipe states are dropped; and a process that ignores SIGTERM is killed."""
    monkeypatch.setattr(web_supervisor, "STOP_SECONDS", 0.5)
    stubborn = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)\n"
    kept = WebSupervisor(script(tmp_path, stubborn))
    kept.start()
    until(lambda: kept._process, "it is started")
    for number in range(5000):
        kept.send(problem=f"{number} " + "x" * 100)
    process = kept._process
    assert process is not None
    kept.stop()

    assert process.wait(10) in (-signal.SIGKILL, -signal.SIGTERM)


def test_a_missing_command_is_tried_again(tmp_path: Path) -> None:
    """The daemon continues, and the command is tried again later."""
    kept = WebSupervisor([str(tmp_path / "absent")])
    kept.start()
    kept.send(watching="events")
    kept.stop()

    assert not kept._thread.is_alive()


STOPS = "import os, signal, sys\nopen(sys.argv[1], 'a').write('.\\n')\nos.kill(os.getpid(), signal.SIGSTOP)\n"
SPINS = "import sys\nopen(sys.argv[1], 'a').write('.\\n')\nwhile True: pass\n"


@pytest.mark.parametrize("text", [STOPS, SPINS], ids=["stopped", "spinning"])
def test_a_hanging_process_is_killed_and_restarted(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It runs without a heartbeat, which is logged."""
    monkeypatch.setattr(web_supervisor, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(web_supervisor, "SILENCE", 0.3)
    kept = WebSupervisor(script(tmp_path, text))
    kept.start()
    until(lambda: len(lines(tmp_path)) >= 2, "another start")
    kept.stop()

    assert "has not answered" in caplog.text


def test_a_page_that_turns_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it says so, however little; then its end is waited for."""
    monkeypatch.setattr(web_supervisor, "SILENCE", 0.3)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        listening = threading.Thread(target=web_supervisor.listen, args=(process,))
        listening.start()
        end = time.monotonic() + 0.8  # more than two silences
        until(lambda: process.stdin.write(b".") and time.monotonic() > end, "some time has passed")
        process.stdin.close()
        listening.join(30)

    assert process.returncode == 0


def test_a_real_page_that_is_stopped_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says by itself that it turns; held by SIGSTOP it says no more."""
    pytest.importorskip("starlette", reason="needs the extra web")
    monkeypatch.setattr(web_supervisor, "SILENCE", 0.3)
    (tmp_path / "c.yaml").write_text("web: {listen: '127.0.0.1:0'}\n")
    command = [sys.executable, "-m", "digitwatch", "-c", str(tmp_path / "c.yaml"), "web", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        process.send_signal(signal.SIGSTOP)
        web_supervisor.listen(process)

    assert process.returncode == -signal.SIGKILL


def test_the_web_interface_of_a_daemon_is_restarted_and_ends_with_it(tmp_path: Path) -> None:
    """Killed, it is restarted; when the daemon is killed, it ends too."""
    pytest.importorskip("starlette", reason="needs the extra web")
    with Service(tmp_path, "web: {listen: '127.0.0.1:0'}\n") as service:
        first = pid_of_page(service)
        os.kill(first, signal.SIGKILL)
        until(lambda: pid_of_page(service) not in (0, first), "another page")
        second = pid_of_page(service)
        service.kill()
        until(lambda: not alive(second), "the page ends with the daemon")


def pid_of_page(service: Service) -> int:
    """Return the process of the daemon's web interface, 0 while there is none."""
    assert service.process is not None
    for child in Path(f"/proc/{service.process.pid}/task").glob("*/children"):
        for pid in child.read_text().split():
            if b"--until-eof" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    return 0


def alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
