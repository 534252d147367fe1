"""Accuracy by paper, pen, camera and surroundings: MNIST digits on pages of each kind, read as scans.

    python -m benchmarks.surroundings --data mnist.npz              # single digits
    python -m benchmarks.surroundings --data mnist.npz --digits 3   # numbers

The digits are by writers held out of the training, or with --test the test digits.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from benchmarks.papers import OF_ONE_DIGIT, PAPERS, row
from digitwatch.recognition.reader import Reader
from digitwatch.training.data.digits import hold_out, load


def line(name: str, right: float, sure: float, wrong: float) -> str:
    """Return a line of the table from shares."""
    return f"{name:12}{right:8.1%}{sure:8.1%}{wrong:10.2%}"


def main() -> None:
    """Read digits on each paper and print the shares read right, accepted (ok), and accepted but wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="MNIST as .npz, with mnist_writers.npz beside it")
    parser.add_argument("--count", type=int, default=200, help="pages of each kind")
    parser.add_argument("--digits", type=int, default=1, help="digits in a row")
    parser.add_argument("--test", action="store_true", help="MNIST's test digits instead of held-out writers'")
    parser.add_argument("--only", nargs="*", help="kinds of paper, by name")
    parser.add_argument("--save", type=Path, help="a folder for the pages that are read wrong")
    args = parser.parse_args()
    learn, test = load(args.data)
    digits = test if args.test else hold_out(learn)[1]
    papers = [paper for paper in PAPERS if not args.only or paper.__name__ in args.only]
    papers = [paper for paper in papers if args.digits == 1 or paper not in OF_ONE_DIGIT]
    reader = Reader()
    total = np.zeros(3)
    print(f"{'':12}{'right':>8}{'ok':>8}{'ok-wrong':>10}")
    for paper in papers:
        rng = np.random.default_rng(PAPERS.index(paper))
        right = sure = wrong = 0
        for chosen in rng.integers(0, len(digits), (args.count, args.digits)):
            page = paper(row(digits.pictures[chosen], rng), rng)
            reading = reader.read(page)
            text = "".join(map(str, digits.labels[chosen]))
            good = reading.text == text
            right, sure = right + good, sure + (reading.status == "ok")
            wrong += reading.status == "ok" and not good
            if args.save and not good:
                args.save.mkdir(exist_ok=True)
                name = f"{paper.__name__}-{chosen[0]}-{text}-as-{reading.text or 'none'}.png"
                cv2.imwrite(str(args.save / name), page)
        total += right, sure, wrong
        print(line(paper.__name__, right / args.count, sure / args.count, wrong / max(1, sure)), flush=True)
    pages = args.count * len(papers)
    print(line("all", total[0] / pages, total[1] / pages, total[2] / max(1, total[1])))


if __name__ == "__main__":
    main()
