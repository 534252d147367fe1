"""The weights of two readers that agree."""

from typing import Any

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.recognition.networks.crop_recognizer import CropRecognizer
from digitwatch.recognition.reader import BUNDLED

fit_agreement: Any = pytest.importorskip("digitwatch.training.fitting.fit_agreement", reason="needs the extra `train`")


def test_the_regression_finds_the_weights_of_its_outcomes() -> None:
    """20,000 outcomes drawn with known weights give these back within a tenth."""
    rng = np.random.default_rng(0)
    known = np.column_stack([np.ones(20_000), rng.normal(2, 2, 20_000), rng.normal(0, 1, 20_000)])
    true = np.array([-0.5, 0.7, 1.2])

    found = fit_agreement.logistic(known, rng.random(20_000) < 1 / (1 + np.exp(-known @ true)))

    assert np.abs(found - true).max() < 0.1


def test_more_confidence_never_lowers_the_probability() -> None:
    """Outcomes that contradict a feature, as a small sample may, give it no weight instead of a negative one."""
    rng = np.random.default_rng(0)
    known = np.column_stack([np.ones(300), rng.normal(0, 1, 300)])

    assert fit_agreement.logistic(known, known[:, 1] < rng.normal(0, 1, 300))[1] == 0


def test_agreement_is_fitted_on_composed_crops() -> None:
    """With the bundled models: more confidence of either reader never makes a reading less probable."""
    weights = fit_agreement.fit(CropRecognizer.load(BUNDLED / "crop"), drawn(40), print, pages=60)

    assert len(weights) == 3
    assert min(weights[1:]) >= 0
