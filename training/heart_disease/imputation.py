"""Values that replace missing ones: one per feature, learned from the training patients of all hospitals."""
import numpy as np

from .features import FEATURES, Feature

SHIPPED_RULES = 'SHIPPED'
"""Each feature's own rule, `Feature.imputation`."""
COMMONEST_RULES = 'COMMONEST'
"""For comparison: the median of a measurement, the commonest value of a code or count ("normal" for most tests)."""
FLAG_RULES = 'FLAG'
"""For comparison: a value that never occurs, so the forest can see that the value was missing."""

FLAG = -99.0


def learn_imputation(values: np.ndarray, rules: str = SHIPPED_RULES) -> np.ndarray:
    """Returns one value per feature; NaN for the required ones, which are never imputed."""
    learned = np.full(len(FEATURES), np.nan)
    for column, feature in enumerate(FEATURES):
        if not feature.required:
            known = values[~np.isnan(values[:, column]), column]
            learned[column] = _RULES[_rule(feature, rules)](known, feature)
    return learned


def impute(values: np.ndarray, imputation: np.ndarray) -> np.ndarray:
    """Returns a copy without missing values. Raises ValueError, naming the features, when a required one is missing."""
    encoded = np.where(np.isnan(values), imputation, values)
    missing = np.flatnonzero(np.isnan(encoded).any(axis=0))
    if len(missing):
        raise ValueError(f'missing required feature: {", ".join(FEATURES[column].code for column in missing)}')
    return encoded


def _rule(feature: Feature, rules: str) -> str:
    if rules == SHIPPED_RULES:
        return feature.imputation
    if rules == FLAG_RULES:
        return 'FLAG'
    return 'MEDIAN' if feature.kind == 'CONTINUOUS' else 'COMMONEST_CODE'


def _average(known: np.ndarray, feature: Feature) -> float:
    return round(float(known.mean()), feature.decimals)


def _median(known: np.ndarray, feature: Feature) -> float:
    return round(float(np.median(known)), feature.decimals)


def _average_code(known: np.ndarray, feature: Feature) -> float:
    return float(min(feature.allowed_values, key=lambda value: abs(value - known.mean())))


def _commonest_code(known: np.ndarray, feature: Feature) -> float:
    return float(max(feature.allowed_values, key=lambda value: int((known == value).sum())))


_RULES = {'AVERAGE': _average, 'MEDIAN': _median, 'AVERAGE_CODE': _average_code, 'COMMONEST_CODE': _commonest_code,
          'FLAG': lambda known, feature: FLAG}
