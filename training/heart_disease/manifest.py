"""Writes manifest.json of the bundle: everything that the risk engine needs besides the trees of the model."""
import hashlib

import numpy as np

from .bands import BANDS
from .features import FEATURE_CODES, FEATURES, Feature
from .golden import GOLDEN_VALUES, as_features, plain_number
from .model import RiskModel
from .patients import HOSPITALS, Patients
from .tree_shap import raw_outputs, read_leaves, shap_values

MODEL_ID = 'heart-disease'
MODEL_VERSION = '1.0.0'
NAME = 'Obstructive coronary artery disease'
OUTCOME = 'at least one major coronary artery narrowed by 50 % or more on angiography'
DESCRIPTION = (
    'Random forest that estimates the probability of obstructive coronary artery disease from the history, resting '
    'findings and stress tests of patients referred for coronary angiography. Trained on the four hospitals of the '
    'UCI Heart Disease data set (920 patients, 1980s).')
INTENDED_USE = (
    'Demonstration, teaching and research in adults with suspected coronary disease. Not a medical device and not for '
    'decisions about patients: the data are from the 1980s, from patients already chosen for angiography, and results '
    'differ by hospital. See the model card.')


def build_manifest(model: RiskModel, model_bytes: bytes, patients: Patients, measured: dict) -> dict:
    """Returns the manifest as a plain dictionary. `measured` has its `metrics` and `reliability`, in its form."""
    leaves = read_leaves(model_bytes)
    encoded = model.forest.encode(patients.values)
    _, contributions = shap_values(leaves, encoded)
    return {
        'schemaVersion': 1,
        'id': MODEL_ID,
        'version': MODEL_VERSION,
        'name': NAME,
        'description': DESCRIPTION,
        'intendedUse': INTENDED_USE,
        'outcome': OUTCOME,
        'model': {'file': 'model.onnx', 'sha256': hashlib.sha256(model_bytes).hexdigest()},
        'outputSpace': 'PROBABILITY',
        'outputIndex': 0,
        'calibration': {'method': 'LOGISTIC', 'slope': model.calibration.slope, 'intercept': model.calibration.intercept},
        'riskBands': [{'band': band.name, 'from': plain_number(band.start), 'meaning': band.meaning} for band in BANDS],
        'features': [_feature_entry(feature, value) for feature, value in zip(FEATURES, model.forest.imputation)],
        'training': _training_entry(model, patients),
        **measured,
        'globalImportance': {code: round(float(value), 6)
                             for code, value in zip(FEATURE_CODES, np.abs(contributions).mean(axis=0))},
        'golden': _golden_entries(model, leaves),
    }


def _feature_entry(feature: Feature, imputed: float) -> dict:
    entry = {'code': feature.code, 'label': feature.label, 'description': feature.description, 'unit': feature.unit,
             'unitLabel': feature.unit_label, 'kind': feature.kind}
    if feature.range:
        entry['range'] = {'min': feature.range[0], 'max': feature.range[1]}
    if feature.codes:
        entry['codes'] = [{'value': value, 'label': label} for value, label in feature.codes]
    if feature.required:
        entry['missing'] = {'policy': 'REQUIRED'}
    else:
        entry['missing'] = {'policy': 'IMPUTE', 'value': plain_number(imputed),
                            'meaning': IMPUTATION_MEANINGS[feature.imputation]}
    if feature.source:
        entry['source'] = feature.source
    return entry


IMPUTATION_MEANINGS = {
    'AVERAGE': 'Not measured: the mean of the training patients in whom it was measured is used.',
    'AVERAGE_CODE': 'Not known: the value nearest to the mean of the training patients in whom it was known is used. '
                    'It stands for an average patient, not for a finding.',
    'COMMONEST_CODE': 'Not known: the commonest value of the training patients is used.',
}


def _training_entry(model: RiskModel, patients: Patients) -> dict:
    forest = model.forest.classifier
    leaves = sum(int(tree.get_n_leaves()) for tree in forest.estimators_)
    return {
        'data': 'UCI Heart Disease (Janosi, Steinbrunn, Pfisterer, Detrano 1989), doi:10.24432/C52P4X, CC BY 4.0: '
                'the four processed files',
        'patients': len(patients),
        'events': int(patients.events.sum()),
        'sites': [{'name': hospital.name, 'patients': int((patients.hospital == index).sum()),
                   'events': int(patients.events[patients.hospital == index].sum())}
                  for index, hospital in enumerate(HOSPITALS)],
        'algorithm': f'scikit-learn RandomForestClassifier: {forest.n_estimators} trees of depth {forest.max_depth} at '
                     f'most, at least {forest.min_samples_leaf} rows a leaf, {forest.max_features} features tried a '
                     f'split, {leaves} leaves; every patient given twice, once with st_slope, major_vessels and '
                     'thalassemia hidden; Platt scaling on out-of-fold outputs',
    }


def _golden_entries(model: RiskModel, leaves: list) -> list:
    encoded = model.forest.encode(GOLDEN_VALUES)
    raw = raw_outputs(leaves, encoded)
    _, contributions = shap_values(leaves, encoded)
    return [{'features': as_features(values), 'rawOutput': float(output),
             'probability': float(model.calibration.apply(output)),
             'contributions': {code: float(value) for code, value in zip(FEATURE_CODES, row)}}
            for values, output, row in zip(GOLDEN_VALUES, raw, contributions)]
