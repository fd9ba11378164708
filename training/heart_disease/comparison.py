"""Compares the shipped recipe with other forests and other rules for missing values. Also measures how well the
hospital can be predicted from the inputs."""
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.isotonic import IsotonicRegression

from .features import FEATURES
from .folds import stratified_folds
from .imputation import COMMONEST_RULES, FLAG_RULES
from .measures import (auroc, bootstrap_interval, brier, calibration_slope, expected_calibration_error,
                       mean_over_repeats)
from .model import SEED, SELDOM_KNOWN, SHIPPED, Recipe, fit_calibration, fit_forest, out_of_fold_raw
from .patients import HOSPITALS, Patients
from .validation import leave_one_hospital_out

REPEATS = 4
FOLDS = 5

AS_MEASURED = Recipe(hidden=(), min_rows_per_leaf=5)

FORESTS = {
    'shipped': SHIPPED,
    'depth 4': Recipe(max_depth=4),
    'depth 6': Recipe(max_depth=6),
    '5 rows a leaf': Recipe(min_rows_per_leaf=5),
    '20 rows a leaf': Recipe(min_rows_per_leaf=20),
    '3 features a split': Recipe(features_tried_per_split=3),
    '500 trees': Recipe(trees=500),
    '500 trees, any depth, 6 rows a leaf': Recipe(trees=500, max_depth=None, min_rows_per_leaf=6),
    "500 trees, scikit-learn's defaults": Recipe(trees=500, max_depth=None, min_rows_per_leaf=1,
                                                features_tried_per_split=3),
}

INPUTS = {
    'shipped': SHIPPED,
    'hidden copies, commonest value': Recipe(imputation=COMMONEST_RULES),
    'hidden copies, value of its own': Recipe(imputation=FLAG_RULES),
    'as measured, average': AS_MEASURED,
    'as measured, commonest value': replace(AS_MEASURED, imputation=COMMONEST_RULES),
    'as measured, value of its own': replace(AS_MEASURED, imputation=FLAG_RULES),
    'without cholesterol': Recipe(without=('cholesterol',)),
    'without slope, vessels, thallium': replace(AS_MEASURED, without=SELDOM_KNOWN),
    'without those and cholesterol': replace(AS_MEASURED, without=(*SELDOM_KNOWN, 'cholesterol')),
}


@dataclass(frozen=True)
class Alternative:
    """One recipe's results. `gain`: pooled AUROC above the shipped recipe's, with its interval.
    `left_out_*`: by hospital, from a model of the other three; `excess` is mean probability minus event rate."""

    name: str
    leaves: int
    auroc: float
    gain: float
    gain_interval: tuple
    brier: float
    left_out_auroc: list
    left_out_brier: list
    left_out_excess: list


def compare(recipes: dict, patients: Patients) -> list:
    """Runs repeated cross-validation and leave-one-hospital-out for each recipe. The first must be the shipped one.

    Calibration inside the repeats is learned from the same out-of-fold outputs. That suffices for a comparison.
    """
    shipped, results = None, []
    for name, recipe in recipes.items():
        raw = np.array([out_of_fold_raw(patients, FOLDS, seed, recipe) for seed in range(REPEATS)])
        shipped = raw if shipped is None else shipped
        results.append(_alternative(name, recipe, patients, raw, shipped))
    return results


def _alternative(name: str, recipe: Recipe, patients: Patients, raw: np.ndarray, shipped: np.ndarray) -> Alternative:
    events = patients.events

    def gain(rows):
        return mean_over_repeats(auroc, events[rows], raw[:, rows]) - mean_over_repeats(auroc, events[rows], shipped[:, rows])

    calibrated = np.array([fit_calibration(repeat, events).apply(repeat) for repeat in raw])
    left_out = [(part.patients.events, part.probability[0]) for part in
                map(leave_one_hospital_out(patients, recipe).of_hospital, range(len(HOSPITALS)))]
    return Alternative(
        name=name,
        leaves=sum(int(tree.get_n_leaves()) for tree in fit_forest(patients, recipe).classifier.estimators_),
        auroc=mean_over_repeats(auroc, events, raw),
        gain=gain(np.arange(len(patients))),
        gain_interval=bootstrap_interval(gain, patients.hospital),
        brier=mean_over_repeats(brier, events, calibrated),
        left_out_auroc=[auroc(*part) for part in left_out],
        left_out_brier=[brier(*part) for part in left_out],
        left_out_excess=[float(probability.mean() - outcome.mean()) for outcome, probability in left_out])


@dataclass(frozen=True)
class CalibrationResult:
    """One calibration map, learned in the training part of each fold and measured in the other."""

    name: str
    brier: float
    slope: float
    error: float


def compare_calibrations(patients: Patients) -> list:
    """Compares no calibration, Platt scaling and isotonic regression on the shipped forest."""
    maps = {'none': lambda raw, events: np.asarray,
            'Platt scaling (shipped)': lambda raw, events: fit_calibration(raw, events).apply,
            'isotonic regression': lambda raw, events: IsotonicRegression(out_of_bounds='clip').fit(raw, events).predict}
    calibrated = {name: np.empty((REPEATS, len(patients))) for name in maps}
    for repeat in range(REPEATS):
        for train, test in stratified_folds(patients, FOLDS, seed=repeat):
            part = patients.select(train)
            inner, outer = out_of_fold_raw(part, FOLDS, SEED), fit_forest(part).raw(patients.values[test])
            for name, fit in maps.items():
                calibrated[name][repeat, test] = fit(inner, part.events)(outer)
    return [CalibrationResult(name, *(mean_over_repeats(measure, patients.events, probability) for measure in
                                      (brier, calibration_slope, expected_calibration_error)))
            for name, probability in calibrated.items()]


@dataclass(frozen=True)
class HospitalLeak:
    """Cross-validated AUROC of the prediction of the hospital, and of the outcome, from the missing values."""

    hospital_from_missing: list
    hospital_from_inputs: list
    outcome_from_missing: float
    outcome_from_hospital: float


def measure_hospital_leak(patients: Patients) -> HospitalLeak:
    """Predicts one hospital against the rest, from the pattern of missing values and from the imputed inputs."""
    optional = [column for column, feature in enumerate(FEATURES) if not feature.required]
    missing = np.isnan(patients.values[:, optional]).astype(float)
    inputs = fit_forest(patients).encode(patients.values)
    one_hot = (patients.hospital[:, None] == np.arange(len(HOSPITALS))).astype(float)
    targets = [(patients.hospital == index).astype(int) for index in range(len(HOSPITALS))]
    return HospitalLeak(
        hospital_from_missing=[_cross_validated_auroc(missing, target, patients) for target in targets],
        hospital_from_inputs=[_cross_validated_auroc(inputs, target, patients) for target in targets],
        outcome_from_missing=_cross_validated_auroc(missing, patients.events, patients),
        outcome_from_hospital=_cross_validated_auroc(one_hot, patients.events, patients))


def _cross_validated_auroc(inputs: np.ndarray, target: np.ndarray, patients: Patients) -> float:
    scores = np.empty(len(target))
    for train, test in stratified_folds(patients, FOLDS, seed=0):
        forest = RandomForestClassifier(n_estimators=SHIPPED.trees, min_samples_leaf=5,
                                        random_state=SEED).fit(inputs[train], target[train])
        scores[test] = forest.predict_proba(inputs[test])[:, 1]
    return auroc(target, scores)
