"""Risk bands. Their limits are those of the 2013 ESC guideline on stable coronary artery disease, for the probability
of the same outcome (https://doi.org/10.1093/eurheartj/eht296). Below 15 % there is no further testing. 15 to 65 % and
66 to 85 % are two ranges of non-invasive testing. Above 85 % disease is assumed. The limits were not fitted to these
data; the model card reports the observed event rate of each band.
"""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Band:
    """A probability belongs to the last band whose `start` is not above it."""

    name: str
    start: float
    meaning: str


BANDS = (
    Band('LOW', 0.0, 'Probability below 15 %: obstructive coronary disease is unlikely in patients like these.'),
    Band('MODERATE', 0.15, 'Probability 15 % to below 65 %: the inputs do not settle the question.'),
    Band('HIGH', 0.65, 'Probability 65 % to below 85 %: obstructive coronary disease is more likely than not.'),
    Band('VERY_HIGH', 0.85, 'Probability 85 % or more: most patients like these had obstructive coronary disease.'),
)


def band_index(probability: np.ndarray) -> np.ndarray:
    """Returns the index into BANDS of each probability."""
    return np.searchsorted([band.start for band in BANDS], probability, side='right') - 1
