"""Measures the model, and selects the figures for the manifest."""
from dataclasses import dataclass

import numpy as np

from .comparison import (FORESTS, INPUTS, HospitalLeak, compare, compare_calibrations,
                         measure_hospital_leak)
from .measures import (auroc, bootstrap_interval, brier, calibration_intercept, calibration_slope,
                       expected_calibration_error, mean_over_repeats, reliability_groups, wilson_interval)
from .patients import HOSPITALS, Patients
from .validation import (FOLDS, REPEATS, Predictions, cleveland_alone, cleveland_elsewhere, cross_validate,
                         leave_one_hospital_out)

POOLED_METHOD = f'{REPEATS} x repeated {FOLDS}-fold cross-validation, stratified by hospital and outcome'
DIGITS = 3


@dataclass(frozen=True)
class Evaluation:
    """Results of one training run. `validation` and `comparison` describe each of them."""

    pooled: Predictions
    left_out: Predictions
    cleveland_alone: Predictions
    cleveland_elsewhere: Predictions
    forests: list
    inputs: list
    calibrations: list
    leak: HospitalLeak


def evaluate(patients: Patients) -> Evaluation:
    """Runs all measurements: about four minutes on one core."""
    return Evaluation(
        pooled=cross_validate(patients),
        left_out=leave_one_hospital_out(patients),
        cleveland_alone=cleveland_alone(patients),
        cleveland_elsewhere=cleveland_elsewhere(patients),
        forests=compare(FORESTS, patients),
        inputs=compare(INPUTS, patients),
        calibrations=compare_calibrations(patients),
        leak=measure_hospital_leak(patients))


def pooled_groups(predictions: Predictions) -> list:
    """(size, mean probability, event rate) of ten groups by probability, over all repeats together."""
    events = np.broadcast_to(predictions.patients.events, predictions.probability.shape)
    return reliability_groups(events.ravel(), predictions.probability.ravel())


def manifest_reliability(evaluation: Evaluation) -> dict:
    """Returns the manifest's `reliability`: the groups of the card's table."""
    repeats = len(evaluation.pooled.probability)
    groups = []
    for size, predicted, observed in pooled_groups(evaluation.pooled):
        interval = wilson_interval(observed, size / repeats)
        groups.append({'patients': round(size / repeats), 'predicted': round(predicted, DIGITS),
                       'observed': round(observed, DIGITS), 'interval': [round(float(end), DIGITS) for end in interval]})
    return {'method': POOLED_METHOD, 'groups': groups}


def manifest_metrics(evaluation: Evaluation) -> list:
    """Returns the manifest's `metrics`: pooled, then within each hospital, then each hospital left out."""
    metrics = [metric('AUROC', POOLED_METHOD, auroc, evaluation.pooled),
               metric('Brier score', POOLED_METHOD, brier, evaluation.pooled),
               metric('calibration slope', POOLED_METHOD, calibration_slope, evaluation.pooled),
               metric('calibration intercept', POOLED_METHOD, calibration_intercept, evaluation.pooled),
               _without_interval('expected calibration error', POOLED_METHOD, expected_calibration_error, evaluation.pooled)]
    for index, hospital in enumerate(HOSPITALS):
        metrics.append(metric('AUROC', f'{POOLED_METHOD}; patients of {hospital.name} only', auroc,
                              evaluation.pooled.of_hospital(index)))
    for index, hospital in enumerate(HOSPITALS):
        part, method = evaluation.left_out.of_hospital(index), f'{hospital.name} left out, trained on the other three'
        metrics += [metric('AUROC', method, auroc, part), metric('Brier score', method, brier, part),
                    metric('calibration slope', method, calibration_slope, part),
                    metric('calibration intercept', method, calibration_intercept, part)]
    return metrics


def metric(name: str, method: str, measure, predictions: Predictions) -> dict:
    """Returns one measure with its bootstrap interval, in the form of the manifest."""
    events, probability = predictions.patients.events, predictions.probability
    low, high = bootstrap_interval(lambda rows: mean_over_repeats(measure, events[rows], probability[:, rows]),
                                   predictions.patients.hospital)
    return {**_without_interval(name, method, measure, predictions),
            'confidenceInterval': [round(low, DIGITS), round(high, DIGITS)]}


def _without_interval(name: str, method: str, measure, predictions: Predictions) -> dict:
    """Returns one measure without an interval. Resampling adds noise to the calibration error and so inflates it."""
    value = mean_over_repeats(measure, predictions.patients.events, predictions.probability)
    return {'name': name, 'method': method, 'value': round(value, DIGITS) + 0.0}
