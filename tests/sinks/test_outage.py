"""A broker and a web server are down for minutes while rows are written: nothing is lost."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from mosquitto import Mosquitto
from receiver import Receiver
from service import until

from digitwatch.spool.csv_rows import Row
from digitwatch.spool.prediction_log import PredictionLog

OUTAGE = float(os.environ.get("OUTAGE", "600"))  # seconds
PAUSE = 0.1  # seconds between two rows
KILLS = 7  # of the process that delivers
TIME = "2026-11-22T10:00:00.000Z"


class Load:
    """Rows that are written, and the process that delivers them to a broker and a web server."""

    def __init__(self, folder: Path, mqtt: int, web: str) -> None:
        """Start the delivery."""
        self.folder = folder
        self.log = PredictionLog(folder / "predictions.csv")
        self.keys: list[str] = []
        self.config = folder / "config.yaml"
        broker = f"{{name: meter, type: mqtt, host: 127.0.0.1, port: {mqtt}, topic: m, start: beginning}}"
        server = f"{{name: accounts, type: webhook, url: {web}, start: beginning}}"
        self.config.write_text(f"predictions: predictions.csv\nsinks: [{broker}, {server}]\n")
        self.start()

    def start(self) -> None:
        """Start the delivery."""
        command = [sys.executable, "-m", "digitwatch", "-c", str(self.config), "sinks"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill the delivery and start it again."""
        self.process.kill()
        self.process.wait()
        self.start()

    def rotate(self) -> None:
        """Rename the log, as logrotate does."""
        rotated = self.folder / "predictions.csv"
        rotated.rename(rotated.with_name(f"predictions.csv-{time.time_ns()}"))

    def write(self, seconds: float) -> None:
        """Write a row every PAUSE seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            number = len(self.keys)
            scan = f"20261122T{number:06}.000Z-{number:08x}"
            status = ("ok", "review", "failed")[number % 3]
            text = str(number)
            self.log.append(
                [
                    Row(
                        TIME,
                        f"{number}.png",
                        "1",
                        text,
                        "0.5",
                        status,
                        "",
                        "",
                        scan,
                        "00",
                        "",
                        "",
                        "cnn",
                        "9",
                        text=text,
                    )
                ]
            )
            self.keys.append(f"{scan}/1")
            time.sleep(PAUSE)


@pytest.mark.proof
def test_an_outage_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both get each row; doubled is only what was in delivery when the process or the broker ended."""
    broker, server = Mosquitto(tmp_path / "mosquitto"), Receiver()
    load = Load(tmp_path, broker.port, server.url)
    load.write(5)
    load.kill()
    broker.down()
    server.down()
    for turn in range(KILLS - 2):
        load.write(OUTAGE / (KILLS - 2))
        load.kill()
        if turn % 2:
            load.rotate()
    broker.up()
    server.up()
    up = time.monotonic()
    until(lambda: len(broker.values("m/event")) > len(load.keys) // 3, "a third of the rows", 180)
    load.kill()
    until(lambda: set(load.keys) <= {json.loads(text)["key"] for text in broker.values("m/event")}, "all", 180)
    until(lambda: set(load.keys) <= set(server.keys), "all", 180)
    seconds = time.monotonic() - up
    load.process.terminate()
    load.process.wait()
    broker.close()
    server.down()

    keys = [json.loads(text)["key"] for text in broker.values("m/event")]
    doubled = {"broker": len(keys) - len(set(keys)), "server": len(server.keys) - len(set(server.keys))}
    with capsys.disabled():
        print(f"\n{len(load.keys)} rows, {OUTAGE:g} s down, all there {seconds:.0f} s later; doubled: {doubled}")
    assert set(keys) == set(load.keys) == set(server.keys)
    assert doubled["broker"] <= 20 * KILLS  # MqttSink.batch events are in delivery at once
    assert doubled["server"] <= KILLS
    assert not {key for key, number in Counter(keys).items() if number > KILLS}
    values = [int(text) for text in broker.values("m/value")]
    ok = range(0, len(load.keys), 3)
    assert (set(values), values[-1]) == (set(ok), ok[-1])
