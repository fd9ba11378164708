"""The thirteen model inputs: code, label, unit, kind, allowed values, and the rule for a missing value.

Codes and meanings follow the data set's own description (Janosi, Steinbrunn, Pfisterer, Detrano 1989,
https://doi.org/10.24432/C52P4X). Units are UCUM codes (https://ucum.org). Ranges are wider than the data. They refuse
values that cannot be a measurement. The model card gives the ranges of the training patients.
"""
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Feature:
    """One model input. `kind`, `range`, `codes` and `source` are written to the manifest unchanged."""

    code: str
    label: str
    description: str
    unit: str
    unit_label: str
    kind: str
    range: Optional[tuple] = None
    codes: Optional[tuple] = None
    source: Optional[str] = None
    required: bool = False
    decimals: int = 0
    """Decimals that an imputed average is rounded to."""
    imputation: str = 'AVERAGE'
    """Rule for a missing value. AVERAGE: the mean of the known values. AVERAGE_CODE, for codes and counts with an
    order: the allowed value nearest to that mean. COMMONEST_CODE, for codes without an order."""

    @property
    def allowed_values(self) -> tuple:
        """Returns every value of a coded feature or a count."""
        if self.codes:
            return tuple(value for value, _ in self.codes)
        return tuple(range(self.range[0], self.range[1] + 1))


NO_YES = ((0, 'no'), (1, 'yes'))

FEATURES = (
    Feature('age', 'Age', 'Age at the time of the examination.', 'a', 'years', 'CONTINUOUS', range=(18, 120),
            source='PATIENT_AGE', required=True),
    Feature('sex', 'Sex', 'Sex as recorded in the data set.', '1', '', 'BINARY', codes=((0, 'female'), (1, 'male')),
            source='PATIENT_SEX', required=True),
    Feature('chest_pain_type', 'Chest pain type', 'Kind of chest pain the patient came with.', '1', '', 'CATEGORICAL',
            codes=((1, 'typical angina'), (2, 'atypical angina'), (3, 'non-anginal pain'), (4, 'asymptomatic')),
            required=True),
    Feature('resting_bp', 'Resting blood pressure', 'Systolic blood pressure at rest, on admission.', 'mm[Hg]', 'mm Hg',
            'CONTINUOUS', range=(50, 300)),
    Feature('cholesterol', 'Serum cholesterol', 'Total serum cholesterol. Zero in the original files means not measured.',
            'mg/dL', 'mg/dL', 'CONTINUOUS', range=(50, 1000)),
    Feature('fasting_blood_sugar', 'Fasting blood sugar above 120 mg/dL',
            'Whether the fasting blood sugar was above 120 mg/dL.', '1', '', 'BINARY', codes=NO_YES,
            imputation='AVERAGE_CODE'),
    Feature('resting_ecg', 'Resting ECG', 'Electrocardiogram at rest.', '1', '', 'CATEGORICAL',
            codes=((0, 'normal'), (1, 'ST-T wave abnormality'),
                   (2, 'probable or definite left ventricular hypertrophy (Estes)')), imputation='COMMONEST_CODE'),
    Feature('max_heart_rate', 'Maximum heart rate', 'Highest heart rate reached in the exercise test.', '/min',
            'beats/min', 'CONTINUOUS', range=(40, 250)),
    Feature('exercise_angina', 'Exercise-induced angina', 'Whether exercise brought on angina.', '1', '', 'BINARY',
            codes=NO_YES, imputation='AVERAGE_CODE'),
    Feature('st_depression', 'ST depression by exercise',
            'ST depression in exercise relative to rest. Negative values are ST elevation.', 'mm', 'mm', 'CONTINUOUS',
            range=(-10, 10), decimals=1),
    Feature('st_slope', 'Slope of the exercise ST segment', 'Slope of the ST segment at peak exercise.', '1', '',
            'CATEGORICAL', codes=((1, 'upsloping'), (2, 'flat'), (3, 'downsloping')), imputation='AVERAGE_CODE'),
    Feature('major_vessels', 'Major vessels seen in fluoroscopy',
            'Number of major vessels coloured by fluoroscopy.', '1', '', 'COUNT', range=(0, 3),
            imputation='AVERAGE_CODE'),
    Feature('thalassemia', 'Thallium scan', 'Thallium stress scintigraphy; the data set calls this column thal.', '1', '',
            'CATEGORICAL', codes=((3, 'normal'), (6, 'fixed defect'), (7, 'reversible defect')), imputation='AVERAGE_CODE'),
)

FEATURE_CODES = tuple(feature.code for feature in FEATURES)
