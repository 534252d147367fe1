"""Which taught model stands in: taken and gone back from in one step, and never mixed up."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from digitwatch.models.registry import HISTORY, RegistryError, current, install, rollback


def save(stem: Path) -> None:
    """Write a pair of files."""
    stem.with_name(f"{stem.name}.tflite").write_text("network")
    stem.with_name(f"{stem.name}.json").write_text("card")


def test_without_teaching_the_named_model_reads(tmp_path: Path) -> None:
    """A folder that does not exist holds nothing."""
    assert current(tmp_path / "absent", "cnn") == "cnn"
    assert current(tmp_path / "absent", tmp_path / "mine") == tmp_path / "mine"


def test_the_newest_stands_in_and_rollback_goes_back(tmp_path: Path) -> None:
    """Two taught, then back twice; all files are kept, and no name is given twice."""
    first, second = (install(tmp_path / "taught", "cnn", save) for _ in range(2))

    assert (first.name, second.name) == ("cnn-taught-1", "cnn-taught-2")
    assert current(tmp_path / "taught", "cnn") == second
    assert rollback(tmp_path / "taught", "cnn") == (second, first)
    assert rollback(tmp_path / "taught", "cnn") == (first, "cnn")
    assert rollback(tmp_path / "taught", "cnn") is None
    assert second.with_suffix(".tflite").exists()
    assert install(tmp_path / "taught", "cnn", save).name == "cnn-taught-3"


def test_each_model_has_its_own(tmp_path: Path) -> None:
    """Who names another model in config.yaml does not get what another one learned."""
    install(tmp_path, "cnn", save)

    assert current(tmp_path, "dense") == "dense"


def test_a_failed_save_changes_nothing(tmp_path: Path) -> None:
    """The disk is full: what stood in still does."""
    first = install(tmp_path, "cnn", save)

    def full(_: Path) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        install(tmp_path, "cnn", full)
    assert current(tmp_path, "cnn") == first


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"cnn": "x"}', '{"cnn": ["../../x"]}', '{"cnn": [".."]}', '{"cnn": [""]}', '{"cnn": [1]}', "\0"],
)
def test_a_damaged_history_is_reported(tmp_path: Path, content: str) -> None:
    """It names the file and what to do, instead of reading with another model than people think."""
    (tmp_path / HISTORY).write_text(content)

    with pytest.raises(RegistryError, match=r"history\.json.*delete it"):
        current(tmp_path, "cnn")


def test_two_trainings_at_once_get_a_name_each(tmp_path: Path) -> None:
    """The network and the card of a name come from one training, whichever ends first."""
    begun = threading.Barrier(2, timeout=1)

    def save_slowly(mark: str, stem: Path) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):  # without a lock both would be here at once
            begun.wait()
        for ending in ("tflite", "json"):
            stem.with_name(f"{stem.name}.{ending}").write_text(mark)

    with ThreadPoolExecutor() as threads:
        stems = list(threads.map(lambda mark: install(tmp_path, "cnn", partial(save_slowly, mark)), "ab"))

    assert sorted(stem.name for stem in stems) == ["cnn-taught-1", "cnn-taught-2"]
    texts = [[stem.with_name(f"{stem.name}.{end}").read_text() for end in ("tflite", "json")] for stem in stems]
    assert texts == [["a", "a"], ["b", "b"]]
