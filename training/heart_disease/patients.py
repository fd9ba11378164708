"""Reads the four hospitals' files and cohort CSVs. Missing values become NaN; nothing else is changed."""
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .features import FEATURE_CODES


@dataclass(frozen=True)
class Hospital:
    """One of the four hospitals that collected the data."""

    name: str
    file: str


HOSPITALS = (
    Hospital('Cleveland Clinic Foundation', 'processed.cleveland.data'),
    Hospital('Hungarian Institute of Cardiology, Budapest', 'processed.hungarian.data'),
    Hospital('University Hospitals Zurich and Basel', 'processed.switzerland.data'),
    Hospital('V.A. Medical Center, Long Beach', 'processed.va.data'),
)


@dataclass(frozen=True)
class Patients:
    """`values`: patients x features, NaN where missing. `events`: 0 or 1. `hospital`: index into HOSPITALS."""

    values: np.ndarray
    events: np.ndarray
    hospital: np.ndarray

    def __len__(self) -> int:
        return len(self.events)

    def select(self, rows) -> 'Patients':
        return Patients(self.values[rows], self.events[rows], self.hospital[rows])


def load_patients(directory: Path) -> Patients:
    """Reads all four files of UCI data set 45, in the order of HOSPITALS and of the files. Raises ValueError on a bad
    row.

    The outcome is the usual one: disease status above 0. It means at least one major vessel narrowed by 50 % or more.
    """
    rows, events, hospital = [], [], []
    for index, place in enumerate(HOSPITALS):
        path = Path(directory) / place.file
        for line_number, line in enumerate(path.read_text().splitlines(), start=1):
            cells = line.split(',')
            if len(cells) != len(FEATURE_CODES) + 1:
                raise ValueError(f'{path.name} line {line_number}: {len(cells)} columns, expected {len(FEATURE_CODES) + 1}')
            rows.append([_number(cell, '?') for cell in cells[:-1]])
            events.append(int(float(cells[-1]) > 0))
            hospital.append(index)
    values = np.array(rows)
    for code in ('resting_bp', 'cholesterol'):  # a pressure or a cholesterol of 0 was never measured
        column = FEATURE_CODES.index(code)
        values[values[:, column] == 0, column] = np.nan
    return Patients(values, np.array(events), np.array(hospital))


def load_cohort(path: Path) -> tuple:
    """Reads record numbers and values of a cohort CSV (`mrn` and the feature codes in any order, empty = missing)."""
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        absent = {'mrn', *FEATURE_CODES} - set(reader.fieldnames or ())
        if absent:
            raise ValueError(f'{path}: no column {", ".join(sorted(absent))}')
        rows = list(reader)
    values = np.array([[_number(row[code], '') for code in FEATURE_CODES] for row in rows]).reshape(-1, len(FEATURE_CODES))
    return [row['mrn'] for row in rows], values


def duplicate_groups(patients: Patients) -> np.ndarray:
    """Gives rows that are equal in every column and hospital the same number: both belong to the same fold."""
    keys = [(int(h), int(e), tuple(np.nan_to_num(v, nan=-999.0))) for h, e, v in
            zip(patients.hospital, patients.events, patients.values)]
    first = {}
    return np.array([first.setdefault(key, index) for index, key in enumerate(keys)])


def _number(cell: str, missing: str) -> float:
    return float('nan') if cell.strip() == missing else float(cell)
