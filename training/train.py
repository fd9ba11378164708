"""Trains, validates and writes the heart-disease bundle: model.onnx, manifest.json, MODEL_CARD.md.

    /usr/bin/python3 training/train.py --data DIRECTORY [--out risk-models/heart-disease]

The same data and the same versions of scikit-learn and onnx give the same files, byte for byte.
"""
import argparse
import json
from pathlib import Path

from heart_disease.card import write_card
from heart_disease.evaluation import evaluate, manifest_metrics, manifest_reliability
from heart_disease.golden import assert_invented
from heart_disease.manifest import NAME, OUTCOME, build_manifest
from heart_disease.model import fit_risk_model
from heart_disease.onnx_export import export_forest
from heart_disease.patients import load_patients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', type=Path, required=True, help='directory with the four processed.*.data files')
    parser.add_argument('--out', type=Path, default=Path(__file__).parents[1] / 'risk-models' / 'heart-disease')
    options = parser.parse_args()

    patients = load_patients(options.data)
    assert_invented(patients)
    print(f'{len(patients)} patients, {patients.events.sum()} with the outcome: training', flush=True)
    model = fit_risk_model(patients)
    model_bytes = export_forest(model.forest.classifier, f'{NAME}: {OUTCOME}')
    print('validating: a few minutes', flush=True)
    evaluation = evaluate(patients)
    measured = {'metrics': manifest_metrics(evaluation), 'reliability': manifest_reliability(evaluation)}
    manifest = build_manifest(model, model_bytes, patients, measured)
    card = write_card(manifest, evaluation)

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / 'model.onnx').write_bytes(model_bytes)
    (options.out / 'manifest.json').write_text(json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + '\n')
    (options.out / 'MODEL_CARD.md').write_text(card)
    print(f'{options.out}: model.onnx {manifest["model"]["sha256"]}')


if __name__ == '__main__':
    main()
