"""Measures of discrimination and calibration, and their bootstrap intervals.

Every measure takes outcomes (0 or 1) and probabilities of the same patients, and returns one number. Calibration terms
follow Van Calster et al. 2019, BMC Medicine 17:230.
"""
from typing import Callable

import numpy as np
from scipy.stats import rankdata

BOOTSTRAP_SAMPLES = 1000
RELIABILITY_GROUPS = 10
_SMALLEST_PROBABILITY = 1e-6


def auroc(events: np.ndarray, probability: np.ndarray) -> float:
    """Area under the ROC curve; ties count half. NaN when all outcomes are the same."""
    positives = events.sum()
    negatives = len(events) - positives
    if positives == 0 or negatives == 0:
        return float('nan')
    ranks = rankdata(probability)[events == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def brier(events: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared difference between probability and outcome."""
    return float(np.mean((probability - events) ** 2))


def accuracy(events: np.ndarray, probability: np.ndarray) -> float:
    """Share of patients classified correctly at a probability of 0.5."""
    return float(np.mean((probability >= 0.5) == events))


def calibration_intercept(events: np.ndarray, probability: np.ndarray) -> float:
    """Calibration in the large, in log-odds: 0 is ideal, above 0 the model estimates too low."""
    logits = _logit(probability)
    return float(_logistic_fit(events, np.ones((len(logits), 1)), offset=logits)[0])


def calibration_slope(events: np.ndarray, probability: np.ndarray) -> float:
    """Slope of the outcome's log-odds on the estimated ones: 1 is ideal, below 1 estimates are too extreme."""
    logits = _logit(probability)
    return float(_logistic_fit(events, np.column_stack([np.ones(len(logits)), logits]))[1])


def expected_calibration_error(events: np.ndarray, probability: np.ndarray) -> float:
    """Mean |observed - estimated| over ten equally large groups by probability."""
    groups = reliability_groups(events, probability)
    return float(sum(size * abs(observed - estimated) for size, estimated, observed in groups) / len(events))


def reliability_groups(events: np.ndarray, probability: np.ndarray) -> list:
    """(size, mean probability, event rate) of ten equally large groups, from lowest to highest probability."""
    order = np.argsort(probability, kind='stable')
    return [(len(group), float(probability[group].mean()), float(events[group].mean()))
            for group in np.array_split(order, RELIABILITY_GROUPS)]


def mean_over_repeats(measure: Callable, events: np.ndarray, repeats: np.ndarray) -> float:
    """The measure on each repeat's predictions [repeat, patient], averaged."""
    return float(np.mean([measure(events, probability) for probability in repeats]))


def bootstrap_interval(statistic: Callable, strata: np.ndarray, seed: int = 0) -> tuple:
    """95 % percentile interval of `statistic(rows)`, resampling patients within each stratum.

    It covers the random choice of the tested patients, but not that of the training patients.
    """
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    values = [statistic(np.concatenate([generator.choice(rows, len(rows)) for rows in members]))
              for _ in range(BOOTSTRAP_SAMPLES)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def wilson_interval(rate: float, size: float) -> tuple:
    """95 % interval of an event rate seen in `size` patients (Wilson 1927)."""
    z = 1.959964
    centre = (rate + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(rate * (1 - rate) / size + z * z / (4 * size * size))
    return float(centre - half), float(centre + half)


def _logit(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return np.log(clipped / (1 - clipped))


def _logistic_fit(events: np.ndarray, design: np.ndarray, offset=0.0, steps: int = 25) -> np.ndarray:
    """Coefficients of an unpenalised logistic regression, by Newton's method; NaN when there is no finite fit."""
    nowhere = np.full(design.shape[1], np.nan)
    if events.min() == events.max():
        return nowhere
    coefficients = np.zeros(design.shape[1])
    for _ in range(steps):
        fitted = 1 / (1 + np.exp(-np.clip(design @ coefficients + offset, -500, 500)))
        information = (design.T * (fitted * (1 - fitted))) @ design
        if not np.isfinite(np.linalg.cond(information)) or np.linalg.cond(information) > 1e12:
            return nowhere
        change = np.linalg.solve(information, design.T @ (events - fitted))
        coefficients = coefficients + change
        if np.abs(change).max() < 1e-9:
            return coefficients
    return nowhere
