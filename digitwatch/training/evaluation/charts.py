"""The charts of the report, each a matplotlib Figure drawn without pyplot."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from digitwatch.training.data.digits import Digits
from digitwatch.training.evaluation.evaluate import Evaluation

INK, LINE, WRONG = "#1f2933", "#3b6ea5", "#b8432f"


def confusion(evaluation: Evaluation) -> Figure:
    """Return the confusion matrix; the diagonal is not coloured, so that errors stand out."""
    table = evaluation.confusion
    errors = table.astype(float)
    np.fill_diagonal(errors, 0)
    figure = Figure((8, 6))
    axes = figure.subplots()
    axes.imshow(errors, cmap="Reds", vmax=max(1.0, errors.max() * 1.3))
    for (row, column), count in np.ndenumerate(table):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", color=INK, fontsize=9)
    axes.set(xlabel="predicted", ylabel="true", yticks=range(10))
    axes.set_xticks(range(len(evaluation.answers)), evaluation.answers)
    return figure


def reliability(evaluation: Evaluation) -> Figure:
    """Return accuracy against confidence; the size of a point shows its number of digits."""
    sure, right, count = np.array(evaluation.reliability()).T
    figure = Figure((6, 5))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#b0b8c0")
    axes.scatter(sure, right, s=20 + 300 * np.sqrt(count / count.sum()), color=LINE, alpha=0.7)
    title = f"expected calibration error {evaluation.calibration_error:.2%}"
    axes.set(xlabel="confidence of the model", ylabel="accuracy", title=title)
    return figure


def review(evaluation: Evaluation, limit: float) -> Figure:
    """Return the errors left against the share of digits sent to review, least certain first."""
    sure = evaluation.chances[:, :10].max(axis=1)
    order = np.argsort(sure)
    left = np.r_[0, np.cumsum(~evaluation.right[order])]
    total = len(order)
    kept = total - np.arange(total)  # digits not reviewed, for each number of reviewed ones
    errors = (left[-1] - left[:-1]) / kept
    at = int((sure < limit).sum())
    figure = Figure((7, 4))
    axes = figure.subplots()
    show = slice(0, max(2, int(total * 0.12)))
    axes.plot(np.arange(total)[show] / total * 100, errors[show] * 100, color=LINE)
    if at < total:
        label = f"below {limit:g}: {at / total:.2%} reviewed, {errors[at]:.3%} wrong among the rest"
        axes.plot(at / total * 100, errors[at] * 100, "o", color=WRONG, label=label)
        axes.legend()
    axes.set(xlabel="sent to review, %", ylabel="wrong among the rest, %", ylim=(0, None))
    return figure


def mistakes(evaluation: Evaluation, digits: Digits, count: int) -> Figure:
    """Return the wrong answers with the highest confidence, as images."""
    wrong = np.flatnonzero(~evaluation.right)
    wrong = wrong[np.argsort(-evaluation.chances[wrong].max(axis=1))][:count]
    rows = max(1, -(-len(wrong) // 10))
    figure = Figure((10, 1.3 * rows))
    for place, axes in enumerate(np.ravel(figure.subplots(rows, 10))):
        axes.set_axis_off()
        if place < len(wrong):
            index = wrong[place]
            axes.imshow(255 - digits.pictures[index], cmap="gray", vmin=0, vmax=255)
            said = evaluation.answers[evaluation.said[index]]
            axes.set_title(f"{digits.labels[index]}, read as {said}", fontsize=8, color=INK)
    return figure


def bars(shares: Mapping[str, float]) -> Figure:
    """Return a bar chart with one bar per name, the lowest at the bottom."""
    names = sorted(shares, key=lambda name: shares[name])
    values = [shares[name] * 100 for name in names]
    figure = Figure((8, 0.32 * len(names) + 0.8))
    axes = figure.subplots()
    axes.barh(names, values, color=LINE)
    for place, value in enumerate(values):
        axes.text(value, place, f" {value:.1f} %", va="center", fontsize=8, color=INK)
    axes.set(xlim=(min(80.0, min(values) - 5), 104), xlabel="right, %")
    return figure
