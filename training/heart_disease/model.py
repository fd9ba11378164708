"""The model: imputation, random forest and calibration, learned together from one set of patients.

Everything that is learned is learned here, so that validation can repeat all of it inside every fold.
"""
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from .features import FEATURES, Feature
from .folds import stratified_folds
from .patients import Patients

TREES = 100
MAX_DEPTH = 5
MIN_PATIENTS_PER_LEAF = 5
FEATURES_TRIED_PER_SPLIT = 2
SEED = 1989
CALIBRATION_FOLDS = 5
CALIBRATION_DIGITS = 4


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the forest's output: p = 1 / (1 + exp(-(slope * raw + intercept))).

    Platt 1999, Probabilistic outputs for support vector machines. Slope is positive, so the order is kept.
    """

    slope: float
    intercept: float

    def apply(self, raw: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(self.slope * raw + self.intercept)))


@dataclass(frozen=True)
class RiskModel:
    """A fitted model. `imputation`: one value a feature (NaN for required ones)."""

    imputation: np.ndarray
    forest: RandomForestClassifier
    calibration: Calibration

    def encode(self, values: np.ndarray) -> np.ndarray:
        return impute(values, self.imputation)

    def raw(self, values: np.ndarray) -> np.ndarray:
        """The forest's own probability of disease."""
        return self.forest.predict_proba(self.encode(values))[:, 1]

    def probability(self, values: np.ndarray) -> np.ndarray:
        return self.calibration.apply(self.raw(values))


def learn_imputation(values: np.ndarray) -> np.ndarray:
    """One value a feature, NaN for required ones; the rule is `Feature.imputation`."""
    learned = np.full(len(FEATURES), np.nan)
    for column, feature in enumerate(FEATURES):
        if not feature.required:
            known = values[~np.isnan(values[:, column]), column]
            learned[column] = IMPUTATION_RULES[feature.imputation](known, feature)
    return learned


def _average(known: np.ndarray, feature: Feature) -> float:
    return round(float(known.mean()), feature.decimals)


def _average_code(known: np.ndarray, feature: Feature) -> float:
    return float(min(feature.allowed_values, key=lambda value: abs(value - known.mean())))


def _commonest_code(known: np.ndarray, feature: Feature) -> float:
    return float(max(feature.allowed_values, key=lambda value: int((known == value).sum())))


IMPUTATION_RULES = {'AVERAGE': _average, 'AVERAGE_CODE': _average_code, 'COMMONEST_CODE': _commonest_code}


def impute(values: np.ndarray, imputation: np.ndarray) -> np.ndarray:
    """Fills missing values. Raises ValueError where a required feature is missing."""
    encoded = np.where(np.isnan(values), imputation, values)
    if np.isnan(encoded).any():
        missing = sorted({FEATURES[column].code for column in np.argwhere(np.isnan(encoded))[:, 1]})
        raise ValueError(f'missing required feature: {", ".join(missing)}')
    return encoded


def fit_forest(patients: Patients, imputation: np.ndarray, **settings) -> RandomForestClassifier:
    """The random forest on imputed values. The seed makes it the same forest every time."""
    parameters = dict(n_estimators=TREES, max_depth=MAX_DEPTH, min_samples_leaf=MIN_PATIENTS_PER_LEAF,
                      max_features=FEATURES_TRIED_PER_SPLIT, random_state=SEED)
    parameters.update(settings)
    return RandomForestClassifier(**parameters).fit(impute(patients.values, imputation), patients.events)


def out_of_fold_raw(patients: Patients, folds: int, seed: int, **settings) -> np.ndarray:
    """Each patient's raw output by a forest (and imputation) that never saw that patient."""
    raw = np.empty(len(patients))
    for train, test in stratified_folds(patients, folds, seed):
        part = patients.select(train)
        imputation = learn_imputation(part.values)
        raw[test] = fit_forest(part, imputation, **settings).predict_proba(impute(patients.values[test], imputation))[:, 1]
    return raw


def fit_calibration(raw: np.ndarray, events: np.ndarray) -> Calibration:
    """Unpenalised logistic regression of the outcome on out-of-fold raw outputs, rounded to stay readable."""
    fit = LogisticRegression(penalty=None, tol=1e-8, max_iter=1000).fit(raw.reshape(-1, 1), events)
    return Calibration(round(float(fit.coef_[0, 0]), CALIBRATION_DIGITS), round(float(fit.intercept_[0]), CALIBRATION_DIGITS))


def fit_risk_model(patients: Patients, **settings) -> RiskModel:
    """Imputation, forest, and a calibration learned from out-of-fold outputs of the same recipe."""
    imputation = learn_imputation(patients.values)
    raw = out_of_fold_raw(patients, CALIBRATION_FOLDS, SEED, **settings)
    return RiskModel(imputation, fit_forest(patients, imputation, **settings), fit_calibration(raw, patients.events))
