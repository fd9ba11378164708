"""Writes MODEL_CARD.md: the text of model_card.template.md with the figures of this training run."""
from pathlib import Path
from string import Template

import numpy as np

from .evaluation import Evaluation
from .features import FEATURE_CODES, FEATURES
from .measures import accuracy, auroc, bootstrap_interval, mean_over_repeats
from .patients import HOSPITALS
from .tables import (alternatives_table, bands_table, calibrations_table, hospitals_table, importance_table, leak_table,
                     metrics_table, percent, reliability_plot, reliability_table, subgroups_table, table)
from .validation import Predictions

TEMPLATE = Path(__file__).with_name('model_card.template.md')


def write_card(manifest: dict, evaluation: Evaluation) -> str:
    """Returns the card as Markdown. Raises KeyError when the template names a figure that is not given here."""
    patients = evaluation.pooled.patients
    calibration = manifest['calibration']
    return Template(TEMPLATE.read_text()).substitute(
        name=manifest['name'],
        version=manifest['version'],
        outcome=manifest['outcome'],
        sha256=manifest['model']['sha256'],
        algorithm=manifest['training']['algorithm'],
        formula=f'{calibration["slope"]} x raw {calibration["intercept"]:+}',
        calibrations=calibrations_table(evaluation.calibrations),
        women=percent(float(np.mean(patients.values[:, FEATURE_CODES.index('sex')] == 0))),
        hospitals=hospitals_table(patients.events, patients.hospital),
        inputs=_inputs_table(manifest),
        known=_known_table(evaluation.pooled),
        metrics=metrics_table(manifest['metrics']),
        reliability_table=reliability_table(evaluation.pooled),
        reliability_plot=reliability_plot(evaluation.pooled),
        bands=bands_table(evaluation.pooled),
        left_out_bands=bands_table(evaluation.left_out),
        subgroups=subgroups_table(evaluation.pooled),
        published=_published_table(evaluation),
        leak=leak_table(evaluation.leak),
        outcome_from_missing=f'{evaluation.leak.outcome_from_missing:.3f}',
        outcome_from_hospital=f'{evaluation.leak.outcome_from_hospital:.3f}',
        input_alternatives=alternatives_table(evaluation.inputs),
        forest_alternatives=alternatives_table(evaluation.forests),
        importance=importance_table(manifest['globalImportance'], {feature.code: feature.label for feature in FEATURES}))


def _inputs_table(manifest: dict) -> str:
    rows = []
    for entry in manifest['features']:
        allowed = ', '.join(f'{code["value"]:g} {code["label"]}' for code in entry['codes']) if 'codes' in entry else \
            f'{entry["range"]["min"]:g} to {entry["range"]["max"]:g} {entry["unitLabel"]}'.rstrip()
        missing = entry['missing']
        rows.append([f'`{entry["code"]}`', entry['label'], allowed,
                     'refused' if missing['policy'] == 'REQUIRED' else f'taken as {missing["value"]:g}'])
    return table(['code', 'input', 'allowed', 'when missing'], rows)


def _known_table(predictions: Predictions) -> str:
    values, hospital = predictions.patients.values, predictions.patients.hospital
    rows = []
    for column, feature in enumerate(FEATURES):
        if not feature.required:
            known = [f'{100 * np.mean(~np.isnan(values[hospital == index, column])):.0f} %' for index in range(len(HOSPITALS))]
            column_values = values[:, column][~np.isnan(values[:, column])]
            rows.append([feature.label, *known, f'{column_values.min():g} to {column_values.max():g}'])
    return table(['known in', 'Cleveland', 'Budapest', 'Zurich, Basel', 'Long Beach', 'values seen'], rows)


def _published_table(evaluation: Evaluation) -> str:
    elsewhere, alone = evaluation.cleveland_elsewhere, evaluation.cleveland_alone
    rows = [['Detrano et al. 1989', 'discriminant function of Cleveland, at the other hospitals', 'about 77 %'],
            ['Aha and Kibler 1988', 'NTgrowth, Cleveland', '77.0 %'], ['Aha and Kibler 1988', 'C4, Cleveland', '74.8 %'],
            ['Gennari, Langley and Fisher 1989', 'CLASSIT, Cleveland', '78.9 %'],
            ['this recipe', 'trained at Cleveland, at the other hospitals', _accuracy(elsewhere)]]
    rows += [['this recipe', f'trained at Cleveland, at {HOSPITALS[index].name}', _accuracy(elsewhere.of_hospital(index))]
             for index in range(1, len(HOSPITALS))]
    rows.append(['this recipe', f'Cleveland alone, cross-validated (AUROC {_auroc(alone)})', _accuracy(alone)])
    rows.append(['this recipe', 'all four hospitals, cross-validated', _accuracy(evaluation.pooled)])
    return table(['who', 'what', 'classified correctly'], rows)


def _accuracy(predictions: Predictions) -> str:
    events, probability = predictions.patients.events, predictions.probability
    low, high = bootstrap_interval(lambda rows: mean_over_repeats(accuracy, events[rows], probability[:, rows]),
                                   predictions.patients.hospital)
    return f'{percent(mean_over_repeats(accuracy, events, probability))} ({percent(low)} to {percent(high)})'


def _auroc(predictions: Predictions) -> str:
    return f'{mean_over_repeats(auroc, predictions.patients.events, predictions.probability):.3f}'
