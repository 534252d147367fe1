"""The array types of the project; docstrings add shapes and ranges."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Grey values or ink, 0 to 255."""

Floats = NDArray[np.float32]
"""Strengths, probabilities and network values."""

Logs = NDArray[np.float64]
"""Natural logarithms of probabilities."""

Numbers = NDArray[np.int32]
"""Labels and measures of connected components, as OpenCV returns them."""

Flags = NDArray[np.bool_]
"""Masks."""
