"""The model: imputation, random forest and calibration, learned together from one set of patients.

All learning is in this module, so that validation can repeat it inside every fold.
"""
from dataclasses import dataclass
from typing import Optional

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from .features import FEATURE_CODES
from .folds import stratified_folds
from .imputation import SHIPPED_RULES, impute, learn_imputation
from .patients import Patients

SEED = 1989
CALIBRATION_FOLDS = 5
CALIBRATION_DIGITS = 4
SELDOM_KNOWN = ('st_slope', 'major_vessels', 'thalassemia')


@dataclass(frozen=True)
class Recipe:
    """Settings of a model. The defaults make the shipped model; `comparison.py` uses the others."""

    trees: int = 100
    max_depth: Optional[int] = 5
    min_rows_per_leaf: int = 10
    features_tried_per_split: int = 2
    imputation: str = SHIPPED_RULES
    hidden: tuple = SELDOM_KNOWN
    """The forest gets every patient twice, once with these features hidden. If empty: once, as measured.

    Only one hospital measured them regularly. Without hidden copies, "not measured" mostly tells the forest that the
    patient is from a hospital with sicker patients. It then overestimates risk at any other hospital that did not
    measure them.
    """
    without: tuple = ()
    """Codes of features that the forest may not use."""


SHIPPED = Recipe()


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the forest's output: p = 1 / (1 + exp(-(slope * raw + intercept))).

    Platt 1999, Probabilistic outputs for support vector machines. The slope is positive: the order is kept.
    """

    slope: float
    intercept: float

    def apply(self, raw: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(self.slope * raw + self.intercept)))


@dataclass(frozen=True)
class Forest:
    """A random forest and its imputation. `imputation`: one value per feature, NaN for a required feature."""

    imputation: np.ndarray
    classifier: RandomForestClassifier
    unused: list

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Returns model inputs with imputed values. Raises ValueError when a required feature is missing."""
        encoded = impute(values, self.imputation)
        encoded[:, self.unused] = 0
        return encoded

    def raw(self, values: np.ndarray) -> np.ndarray:
        """Returns scikit-learn's own probability of disease."""
        return self.classifier.predict_proba(self.encode(values))[:, 1]


@dataclass(frozen=True)
class RiskModel:
    """A fitted model: forest and calibration."""

    forest: Forest
    calibration: Calibration

    def probability(self, values: np.ndarray) -> np.ndarray:
        return self.calibration.apply(self.forest.raw(values))


def fit_forest(patients: Patients, recipe: Recipe = SHIPPED) -> Forest:
    """Trains a forest. The seed makes the same forest every time."""
    unused = [FEATURE_CODES.index(code) for code in recipe.without]
    classifier = RandomForestClassifier(
        n_estimators=recipe.trees, max_depth=recipe.max_depth, min_samples_leaf=recipe.min_rows_per_leaf,
        max_features=recipe.features_tried_per_split, random_state=SEED)
    forest = Forest(learn_imputation(patients.values, recipe.imputation), classifier, unused)
    rows = _with_hidden_copies(patients, recipe.hidden)
    classifier.fit(forest.encode(rows.values), rows.events)
    return forest


def _with_hidden_copies(patients: Patients, codes: tuple) -> Patients:
    if not codes:
        return patients
    copies = patients.values.copy()
    copies[:, [FEATURE_CODES.index(code) for code in codes]] = np.nan
    return Patients(np.vstack([patients.values, copies]), np.tile(patients.events, 2), np.tile(patients.hospital, 2))


def out_of_fold_raw(patients: Patients, folds: int, seed: int, recipe: Recipe = SHIPPED) -> np.ndarray:
    """Returns each patient's raw output by a forest, with its imputation, that was trained without that patient."""
    raw = np.empty(len(patients))
    for train, test in stratified_folds(patients, folds, seed):
        raw[test] = fit_forest(patients.select(train), recipe).raw(patients.values[test])
    return raw


def fit_calibration(raw: np.ndarray, events: np.ndarray) -> Calibration:
    """Fits an unpenalised logistic regression of the outcome on out-of-fold raw outputs. Results are rounded."""
    fit = LogisticRegression(penalty=None, tol=1e-8, max_iter=1000).fit(raw.reshape(-1, 1), events)
    return Calibration(round(float(fit.coef_[0, 0]), CALIBRATION_DIGITS), round(float(fit.intercept_[0]), CALIBRATION_DIGITS))


def fit_risk_model(patients: Patients, recipe: Recipe = SHIPPED) -> RiskModel:
    """Trains a forest, and a calibration from the out-of-fold outputs of forests of the same recipe."""
    raw = out_of_fold_raw(patients, CALIBRATION_FOLDS, SEED, recipe)
    return RiskModel(fit_forest(patients, recipe), fit_calibration(raw, patients.events))
