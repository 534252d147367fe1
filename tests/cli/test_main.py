"""The command line: exit codes, help and messages."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import digitwatch

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_main_returns_the_exit_code_of_the_process(tmp_path: Path) -> None:
    """What `main` returns in the tests below is what a shell sees."""
    (tmp_path / "c.yaml").write_text("setle: 1\n")
    command = [sys.executable, "-m", "digitwatch", "check", "-c", str(tmp_path / "c.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 78
    assert "c.yaml: setle: unknown key" in done.stderr


def test_version(run: Run) -> None:
    """--version names the program and its version."""
    assert run("--version").stdout == f"digitwatch {digitwatch.__version__}\n"


def test_help_does_not_load_the_heavy_libraries() -> None:
    """--help answers without OpenCV, NumPy, matplotlib or TensorFlow."""
    code = (
        "import sys\nfrom digitwatch.cli.main import main\ntry: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\nprint(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"cv2", "numpy", "matplotlib", "tensorflow", "pydantic", "ai_edge_litert"} & set(loaded)


def test_the_daemon_never_loads_the_reader() -> None:
    """The watching process stays small: images and models are the workers' business."""
    code = "import sys, digitwatch.cli.commands\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"cv2", "numpy", "matplotlib", "tensorflow", "ai_edge_litert"} & set(loaded)


@pytest.mark.parametrize("arguments", ["check", "--batch in"])
def test_a_closed_pipe_is_no_bug(tmp_path: Path, arguments: str) -> None:
    """`digitwatch check | true` ends without a message, whatever was left to print."""
    program = f"{sys.executable} -m digitwatch {arguments} -c c.yaml"
    command = f"cd {tmp_path} && mkdir in && (sleep 0.2; {program}) | true; echo ${{PIPESTATUS[0]}}"
    (tmp_path / "c.yaml").write_text("inbox: in\n")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() in ("0", "1")  # the pipe may still take all
    assert done.stderr == ""


def test_export_gives_all_days_or_one(run: Run) -> None:
    """Without a day the whole log is printed, if only its header; a day is written as in the log."""
    assert run("export").stdout.startswith("time,file,page,")
    wrong = run("export", "--day", "gestern")

    assert wrong.returncode == 2
    assert "expected a day such as 2026-11-22, found 'gestern'" in wrong.stderr


def test_bad_configuration_ends_with_78(tmp_path: Path, run: Run) -> None:
    """All problems are printed, with the file's name, and the exit code says configuration."""
    (tmp_path / "c.yaml").write_text("setle: 1\nwatch: often\n")
    done = run("-c", str(tmp_path / "c.yaml"))

    assert done.returncode == 78
    assert done.stderr.count("c.yaml: ") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--batch",),
        ("--batch", "/does/not/exist"),
        ("--batch", "/"),
        ("--batch", ".", "check"),
        ("--out", "x"),
        ("paint",),
        ("evaluate", "--source", "x.npz"),
        ("evaluate", "--report", "/dev/null/x"),
        ("--batch", ".", "--out", "/dev/null/x"),
        ("--again",),
        ("read",),
        ("read", "--annotate", "/dev/null/x", "a.png"),
        ("train", "--out", "/dev/null/x/y"),
    ],
)
def test_bad_usage_ends_with_2(arguments: tuple[str, ...], run: Run) -> None:
    """What cannot be understood is refused with the code for usage."""
    assert run(*arguments).returncode == 2


def test_a_folder_that_is_not_there_yet_ends_with_75(tmp_path: Path, run: Run) -> None:
    """An absolute inbox may be a disk that is not mounted: the service manager tries again later."""
    (tmp_path / "c.yaml").write_text("inbox: /nonexistent/inbox\n")
    done = run("-c", str(tmp_path / "c.yaml"))

    assert done.returncode == 75
    assert "/nonexistent/inbox" in done.stderr


def test_a_missing_model_without_a_way_to_make_it_ends_with_78(tmp_path: Path, run: Run) -> None:
    """A .keras file that does not exist is a mistake in the configuration."""
    (tmp_path / "c.yaml").write_text("model: mine.keras\n")
    done = run("-c", str(tmp_path / "c.yaml"))

    assert done.returncode == 78
    assert "mine.keras does not exist" in done.stderr


def test_check_passes_a_valid_installation(tmp_path: Path, run: Run) -> None:
    """With folders that can be written and a bundled model, check ends with 0."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    folders = "inbox: inbox\noutbox: outbox\narchive: archive\nfailed: failed\npredictions: p.csv\n"
    (tmp_path / "c.yaml").write_text(folders + "model: dense\nmin_free: 0\n")
    done = run("check", "-c", str(tmp_path / "c.yaml"))

    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout


def test_check_names_what_to_fix(tmp_path: Path, run: Run) -> None:
    """A missing folder is found, with the command that makes it, and the exit code is 1."""
    (tmp_path / "c.yaml").write_text("model: dense\narchive: /nonexistent/archive\n")
    done = run("-c", str(tmp_path / "c.yaml"), "check")

    assert done.returncode == 1
    assert "mkdir -p /nonexistent/archive" in done.stdout


def test_check_does_not_ask_for_what_the_daemon_makes(tmp_path: Path, run: Run) -> None:
    """Before the first start the folders below config.yaml are not missing: they will be made."""
    (tmp_path / "c.yaml").write_text("model: dense\n")

    assert run("-c", str(tmp_path / "c.yaml"), "check").returncode == 0


def test_the_config_may_stand_before_or_behind_the_command(tmp_path: Path, run: Run) -> None:
    """-c works everywhere."""
    (tmp_path / "c.yaml").write_text("nonsense: 1\n")

    assert run("-c", str(tmp_path / "c.yaml"), "check").returncode == 78
    assert run("check", "-c", str(tmp_path / "c.yaml")).returncode == 78


def test_config_beside_the_caller_is_found(tmp_path: Path, run: Run) -> None:
    """Without -c, ./config.yaml is used."""
    (tmp_path / "config.yaml").write_text("nonsense: 1\n")

    assert run("check").returncode == 78


def test_a_refusal_of_the_system_ends_with_75(tmp_path: Path, run: Run) -> None:
    """An OSError of any command becomes one line with the path, without a traceback."""
    (tmp_path / "c.yaml").write_text("predictions: log\n")
    (tmp_path / "log").mkdir()
    done = run("-c", str(tmp_path / "c.yaml"), "export")

    assert done.returncode == 75
    assert done.stderr == f"digitwatch: Is a directory: {tmp_path / 'log'}\n"


def test_an_unforeseen_error_ends_with_70(tmp_path: Path) -> None:
    """A bug and an environment error have different exit codes."""
    (tmp_path / "sitecustomize.py").write_text(
        "import digitwatch.config.settings as s\n"
        "def broken(_): raise ZeroDivisionError('planned')\n"
        "s.load_profiles = broken\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "digitwatch", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)

    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr


def test_a_thread_limit_ends_with_75(tmp_path: Path) -> None:
    """A limit of threads has another exit code than a bug, and a message of one line."""
    (tmp_path / "sitecustomize.py").write_text(
        "import _thread, threading, digitwatch.config.settings as c\n"
        "def load(path):\n _thread.stack_size(1 << 46)\n threading.Thread(target=print).start()\n"
        "c.load_profiles = load\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "digitwatch", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)

    assert done.returncode == 75
    assert "no thread could be started" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "usage", "hint"),
    [
        (("chek",), "usage: digitwatch [", "did you mean check?"),
        (("check", "--confg", "x"), "usage: digitwatch check", "did you mean --config?"),
        (("read", "--jsn", "a.png"), "usage: digitwatch read", "did you mean --json?"),
        (("evaluate", "--model", "cn"), "", "did you mean cnn?"),
    ],
)
def test_a_typing_error_gets_a_suggestion(arguments: tuple[str, ...], usage: str, hint: str, run: Run) -> None:
    """With the usage of the command that it belongs to."""
    done = run(*arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(usage) and hint in done.stderr


def test_a_file_instead_of_a_command_gets_the_command(tmp_path: Path, run: Run) -> None:
    """Whoever types a name first learns what reads it."""
    (tmp_path / "a.png").write_bytes(b"")

    assert "digitwatch read a.png" in run("a.png").stderr


def test_a_typing_error_in_the_model_is_no_order_to_train(tmp_path: Path, run: Run) -> None:
    """A bare word must be a bundled model or a file; a model to be trained is named by a path."""
    (tmp_path / "c.yaml").write_text("model: cn\n")
    done = run("-c", str(tmp_path / "c.yaml"), "check")

    assert done.returncode == 78
    assert "model: expected cnn or dense or a path, found 'cn'; did you mean cnn?" in done.stderr


def test_quiet_and_verbose_change_the_log_level(tmp_path: Path, run: Run) -> None:
    """Before or behind the command; both together are refused."""
    (tmp_path / "c.yaml").write_text("inbox: /nonexistent/inbox\n")
    assert "the command ended with this error" in run("-v", "-c", str(tmp_path / "c.yaml")).stderr
    assert "the command ended with this error" not in run("-q", "-c", str(tmp_path / "c.yaml")).stderr
    assert run("check", "-q", "-v").returncode == 2


def test_the_daemon_starts_without_what_it_does_not_use() -> None:
    """Neither deliveries, batches nor networks are imported before they are needed; what would import them says so."""
    code = "import sys, digitwatch.cli.commands; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    unwanted = ("digitwatch.sinks.webhook", "digitwatch.sinks.lag", "digitwatch.service.batch", "sqlite3", "ssl", "cv2")
    assert [name for name in unwanted if name in loaded] == []
