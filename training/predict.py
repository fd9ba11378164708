"""Prints scikit-learn's own probabilities for a cohort CSV, for comparison with `riskgraph score`.

    /usr/bin/python3 training/predict.py COHORT.csv --data DIRECTORY > probabilities.csv

It refits the shipped model from the data files (training is deterministic), and uses neither model.onnx nor
manifest.json.
Columns: mrn, raw (the forest's output), probability (calibrated), band.
"""
import argparse
import csv
import sys
from pathlib import Path

from heart_disease.bands import BANDS, band_index
from heart_disease.model import fit_risk_model
from heart_disease.patients import load_cohort, load_patients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('cohort', type=Path, help='CSV with the columns mrn and the feature codes; empty = missing')
    parser.add_argument('--data', type=Path, required=True, help='directory with the four processed.*.data files')
    options = parser.parse_args()

    model = fit_risk_model(load_patients(options.data))
    record_numbers, values = load_cohort(options.cohort)
    raw = model.forest.raw(values)
    probability = model.calibration.apply(raw)
    writer = csv.writer(sys.stdout, lineterminator='\n')
    writer.writerow(['mrn', 'raw', 'probability', 'band'])
    for row in zip(record_numbers, raw, probability, band_index(probability)):
        writer.writerow([row[0], repr(float(row[1])), repr(float(row[2])), BANDS[row[3]].name])


if __name__ == '__main__':
    main()
