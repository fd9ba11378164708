"""Invented patients. The manifest has their scores and explanations, so that any engine can check itself.

None of them is a patient of the data set (`assert_invented`). They cover the extremes, every code, missing values,
and values that lie exactly on splits (the last row).
"""
import numpy as np

from .features import FEATURE_CODES
from .patients import Patients

NOT_KNOWN = float('nan')

GOLDEN_VALUES = np.array([
    # age, sex, pain, bp, chol, sugar, ecg, rate, angina, st, slope, vessels, thal
    [33, 0, 2, 112, 188, 0, 0, 187, 0, 0.0, 1, 0, 3],
    [71, 1, 4, 172, 331, 1, 2, 97, 1, 3.9, 3, 3, 7],
    [52, 1, 3, 133, 247, 0, 0, 151, 0, 0.9, 2, 1, 6],
    [58, 0, 4, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN],
    [46, 1, 2, 127, 219, 0, 0, 163, 0, 0.3, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN],
    [63, 1, 4, 149, NOT_KNOWN, 0, 1, 118, 1, -0.7, 2, NOT_KNOWN, 7],
    [18, 0, 1, 50, 50, 0, 0, 250, 0, -10.0, 1, 0, 3],
    [120, 1, 4, 300, 1000, 1, 2, 40, 1, 10.0, 3, 3, 7],
    [54.5, 1, 3, 131, 245.5, 0, 1, 144.5, 0, 0.85, 1, 0, 7],
])


def assert_invented(patients: Patients) -> None:
    """Raises ValueError when an invented patient happens to be a real one."""
    real = {tuple(np.nan_to_num(row, nan=-999.0)) for row in patients.values}
    for number, row in enumerate(GOLDEN_VALUES):
        if tuple(np.nan_to_num(row, nan=-999.0)) in real:
            raise ValueError(f'golden vector {number} is a patient of the data set: change it')


def as_features(row: np.ndarray) -> dict:
    """Returns values by feature code, None where missing."""
    return {code: None if np.isnan(value) else plain_number(value) for code, value in zip(FEATURE_CODES, row)}


def plain_number(value: float):
    """Writes whole numbers without a decimal point."""
    return int(value) if float(value).is_integer() else float(value)
