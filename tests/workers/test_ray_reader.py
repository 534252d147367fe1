"""The actor of a Ray cluster, without Ray."""

import subprocess
import sys
from pathlib import Path

from service import scan

CODE = """
import resource, sys
from pathlib import Path
from digitwatch.workers import task
from digitwatch.workers.messages import Job, WorkerConfig
from digitwatch.workers.ray_reader import RayReader

folder = Path(sys.argv[1])
reader = RayReader()
reader.prepare(WorkerConfig("dense", None, 10**8, 4 * 10**9), (folder,))
limit = resource.getrlimit(resource.RLIMIT_AS)[0]
answer = reader.read([Job("0", "a.png", folder / "a.png", folder / "out", claimed=False)])
print(limit > 4 * 10**9, resource.getrlimit(resource.RLIMIT_AS)[0] == limit, type(answer.outcomes[0]).__name__)
"""


def test_the_memory_limit_leaves_room_for_ray(tmp_path: Path) -> None:
    """It counts from what the process has mapped already, and stays so while scans are read."""
    (tmp_path / "a.png").write_bytes(scan())
    done = subprocess.run([sys.executable, "-c", CODE, tmp_path], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["True", "True", "Read"]
