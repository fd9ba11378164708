"""Scores and explains one patient: encoding, forest, calibration, risk band."""

from datetime import datetime, timezone
from math import exp
from typing import Any

import joblib
import numpy as np
import shap

SEX_CODES = {'MALE': 1, 'FEMALE': 0}


class RiskModel:
    """A forest with its manifest. shap gives the output too: base value + sum of the SHAP values."""

    def __init__(self, file: str) -> None:
        bundle = joblib.load(file)
        self.id: str = bundle['id']
        self.version: str = bundle['version']
        self._features = bundle['features']
        self._calibration = bundle['calibration']
        self._bands = [(band['from'], band['band']) for band in bundle['riskBands']]
        self._explainer = shap.TreeExplainer(bundle['forest'])
        self._base_value = float(np.ravel(self._explainer.expected_value)[0])

    def predict(self, patient: dict[str, Any]) -> dict[str, Any]:
        """Returns the prediction of a patient, as it is stored."""
        now = datetime.now(timezone.utc)
        given = self._inputs(patient, now)
        used = [self._used(feature, value) for feature, value in zip(self._features, given, strict=True)]
        rows = np.array([used], dtype=np.float32)
        values = self._explainer.shap_values(rows, check_additivity=False)[0].tolist()
        output = self._base_value + sum(values)
        probability = self._calibrated(output)
        contributions = [
            {
                'feature': {'code': feature['code'], 'label': feature['label']},
                'inputValue': value,
                'value': contribution,
            }
            for feature, value, contribution in zip(self._features, given, values, strict=True)
        ]
        contributions.sort(key=lambda contribution: -abs(contribution['value']))
        return {
            'patient': patient['_id'],
            'createdAt': now,
            'probability': probability,
            'riskBand': next(band for start, band in reversed(self._bands) if probability >= start),
            'modelId': self.id,
            'modelVersion': self.version,
            'inputs': [
                {'code': feature['code'], 'value': value, 'unit': feature['unit']}
                for feature, value in zip(self._features, given, strict=True)
            ],
            'explanation': {
                'method': 'PATH_DEPENDENT',
                'baseValue': self._base_value,
                'outputValue': output,
                'additivityError': 0.0,
                'contributions': contributions,
            },
        }

    def _inputs(self, patient: dict[str, Any], now: datetime) -> list[float | None]:
        recorded = {feature['code']: feature['value'] for feature in patient['features']}
        derived = {
            'PATIENT_AGE': lambda: age_in_years(patient.get('birthDate'), now),
            'PATIENT_SEX': lambda: SEX_CODES.get(patient.get('sex')),
        }
        return [
            recorded[feature['code']]
            if feature['code'] in recorded
            else derived.get(feature.get('source'), lambda: None)()
            for feature in self._features
        ]

    @staticmethod
    def _used(feature: dict[str, Any], value: float | None) -> float:
        if value is not None:
            return value
        missing = feature['missing']
        if missing['policy'] != 'IMPUTE':
            raise ValueError(f'{feature["code"]} is required')
        return missing['value']

    def _calibrated(self, output: float) -> float:
        return 1 / (1 + exp(-(self._calibration['slope'] * output + self._calibration['intercept'])))


def age_in_years(birth_date: str | None, now: datetime) -> int | None:
    """Completed years of life (UTC)."""
    if birth_date is None:
        return None
    year, month, day = map(int, birth_date.split('-'))
    return now.year - year - ((now.month, now.day) < (month, day))
