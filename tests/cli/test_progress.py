"""Progress of a batch where there is no terminal."""

import io

from digitwatch.cli.progress import EVERY_S, Lines


def test_a_line_every_half_minute() -> None:
    """With what is done, the rate and the time left; none at the end, where the summary follows."""
    times = iter([0.0, *(10.0 * step for step in range(1, 601))])
    output = io.StringIO()
    lines = Lines(600, lambda: next(times), output)
    for _ in range(600):
        lines.step()
    written = output.getvalue().splitlines()

    assert EVERY_S == 30
    assert len(written) == 199
    assert written[0] == "3 of 600 scans read, 0.1 a second, about 1 h 40 min left"
    assert written[-1] == "597 of 600 scans read, 0.1 a second, about a minute left"
