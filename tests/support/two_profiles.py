"""A daemon with two profiles, each of which a test sees as a service of its own."""

from pathlib import Path

from service import Service

NAMES = ("flood", "calm")


class TwoProfiles(Service):
    """The daemon of the profiles `flood` and `calm` below one folder; `profile` gives the files of one."""

    def __init__(self, base: Path, flood: str = "", calm: str = "", workers: int = 2) -> None:
        """Write the configuration; the texts are further keys of the two, each on a line of its own."""
        super().__init__(base)
        self.inbox.rmdir()
        places = "inbox: {0}/inbox\noutbox: {0}/outbox\narchive: {0}/archive\nfailed: {0}/failed\n"
        places += "predictions: {0}/predictions.csv\ncorrections: {0}/corrections.csv\ntaught: {0}/taught\n"
        text = f"workers: {workers}\nmodel: dense\nmin_free: 0\nsettle: 0.3\nrescan: 1\nprofiles:\n"
        for name, more in zip(NAMES, (flood, calm), strict=True):
            (base / name / "inbox").mkdir(parents=True, exist_ok=True)
            lines = (places.format(name) + more).splitlines()
            text += f"  {name}:\n" + "".join(f"    {line}\n" for line in lines)
        self.config.write_text(text)

    def profile(self, name: str) -> Service:
        """Return the files of a profile; its log names them from the folder of config.yaml."""
        return Service.at(self.base / name)
