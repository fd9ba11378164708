"""Predicts patients outside the training part: repeated cross-validation, and one hospital left out.

In both, imputation, forest and calibration are learned from the training part only.
"""
from dataclasses import dataclass

import numpy as np

from .folds import stratified_folds
from .model import SHIPPED, Recipe, fit_risk_model
from .patients import HOSPITALS, Patients

REPEATS = 10
FOLDS = 5
CLEVELAND = 0


@dataclass(frozen=True)
class Predictions:
    """Calibrated probabilities [repeat, patient], in the order of `patients`."""

    patients: Patients
    probability: np.ndarray

    def of_hospital(self, hospital: int) -> 'Predictions':
        return self.select(self.patients.hospital == hospital)

    def select(self, rows) -> 'Predictions':
        return Predictions(self.patients.select(rows), self.probability[:, rows])


def cross_validate(patients: Patients) -> Predictions:
    """Runs `REPEATS` times `FOLDS`-fold cross-validation, stratified by hospital and outcome."""
    probability = np.empty((REPEATS, len(patients)))
    for repeat in range(REPEATS):
        for train, test in stratified_folds(patients, FOLDS, seed=repeat):
            probability[repeat, test] = fit_risk_model(patients.select(train)).probability(patients.values[test])
    return Predictions(patients, probability)


def leave_one_hospital_out(patients: Patients, recipe: Recipe = SHIPPED) -> Predictions:
    """Predicts each hospital's patients by a model of the other three. One repeat."""
    probability = np.empty((1, len(patients)))
    for hospital in range(len(HOSPITALS)):
        test = patients.hospital == hospital
        probability[0, test] = fit_risk_model(patients.select(~test), recipe).probability(patients.values[test])
    return Predictions(patients, probability)


def cleveland_elsewhere(patients: Patients) -> Predictions:
    """Predicts the other three hospitals by a model of Cleveland only, as Detrano et al. did in 1989. One repeat."""
    cleveland = patients.hospital == CLEVELAND
    others = patients.select(~cleveland)
    return Predictions(others, fit_risk_model(patients.select(cleveland)).probability(others.values)[None, :])


def cleveland_alone(patients: Patients) -> Predictions:
    """Runs repeated cross-validation within Cleveland, the method of most published figures."""
    return cross_validate(patients.select(patients.hospital == CLEVELAND))
