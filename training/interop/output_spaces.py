"""Writes small models of every kind of answer, as the exporters write them, for test/risk/exporters/outputs.

    pip install scikit-learn skl2onnx onnxmltools lightgbm xgboost onnxruntime
    python training/interop/output_spaces.py test/risk/exporters/outputs

Each NAME.onnx comes with NAME.json: input rows, a background set, and the library's own output for each row.
"""

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from xgboost import XGBClassifier, XGBRegressor

from exporting import accept_booleans

warnings.filterwarnings('ignore')
columns = 4
inputs = [('X', FloatTensorType([None, columns]))]


def by_skl2onnx(model, rows):
    options = {'zipmap': False} if hasattr(model, 'predict_proba') else None
    return to_onnx(model, rows[:1], options=options)


def by_onnxmltools(model, _rows):
    if type(model).__name__.startswith('XGB'):
        return convert_xgboost(model, initial_types=inputs)
    return convert_lightgbm(model, initial_types=inputs, zipmap=False)


def models(x, noise):
    """Yields name, model, its target and its exporter. The targets have the form that each objective needs."""
    quantity = np.round(2 * x[:, 0] + x[:, 1] ** 2 + 0.3 * noise + 5, 3)
    grade = np.digitize(x[:, 0] + 0.5 * x[:, 1] + 0.4 * noise, [-0.5, 0.6])
    count = np.random.default_rng(5).poisson(np.exp(0.5 * x[:, 0] + 0.3))
    positive = np.exp(0.4 * x[:, 0] + 0.2 * noise)
    share = 1 / (1 + np.exp(-x[:, 0] - 0.2))
    trees = {'n_estimators': 4, 'max_depth': 2}
    leaves = {'max_iter': 4, 'max_leaf_nodes': 4}
    light = {'n_estimators': 4, 'num_leaves': 4, 'verbose': -1}
    yield 'rf-classes', RandomForestClassifier(**trees, random_state=1), grade, by_skl2onnx
    yield 'gb-classes', GradientBoostingClassifier(**trees, random_state=1), grade, by_skl2onnx
    yield 'hgb-classes', HistGradientBoostingClassifier(**leaves), grade, by_skl2onnx
    yield 'xgb-classes', XGBClassifier(**trees, objective='multi:softprob'), grade, by_onnxmltools
    yield 'lgb-classes', LGBMClassifier(**light), grade, by_onnxmltools
    yield 'lgb-classes-ova', LGBMClassifier(**light, objective='multiclassova'), grade, by_onnxmltools
    yield 'rf-quantity', RandomForestRegressor(**trees, random_state=1), quantity, by_skl2onnx
    yield 'gb-quantity', GradientBoostingRegressor(**trees, random_state=1), quantity, by_skl2onnx
    yield 'hgb-quantity', HistGradientBoostingRegressor(**leaves), quantity, by_skl2onnx
    yield 'hgb-poisson', HistGradientBoostingRegressor(**leaves, loss='poisson'), count, by_skl2onnx
    yield 'hgb-gamma', HistGradientBoostingRegressor(**leaves, loss='gamma'), positive, by_skl2onnx
    for name, objective, target in [
        ('quantity', 'reg:squarederror', quantity),
        ('poisson', 'count:poisson', count),
        ('gamma', 'reg:gamma', positive),
        ('tweedie', 'reg:tweedie', count),
        ('logistic', 'reg:logistic', share),
    ]:
        yield f'xgb-{name}', XGBRegressor(**trees, objective=objective), target, by_onnxmltools
    for name, objective, target in [
        ('quantity', 'regression', quantity),
        ('poisson', 'poisson', count),
        ('gamma', 'gamma', positive),
        ('tweedie', 'tweedie', count),
    ]:
        yield f'lgb-{name}', LGBMRegressor(**light, objective=objective), target, by_onnxmltools


def main(directory: Path) -> None:
    accept_booleans()
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    x = np.round(random.normal(size=(300, columns)), 3).astype(np.float32)
    noise = random.normal(size=300)
    packages = ['scikit-learn', 'skl2onnx', 'onnxmltools', 'xgboost', 'lightgbm']
    versions = {package: version(package) for package in packages}
    for name, model, target, export in models(x, noise):
        model.fit(x, target)
        onnx.save(export(model, x), directory / f'{name}.onnx')
        predict = model.predict_proba if hasattr(model, 'predict_proba') else model.predict
        output = np.asarray(predict(x[:6]), float).reshape(6, -1)
        facts = {
            'rows': x[:6].tolist(),
            'background': x[6:26].tolist(),
            'output': output.tolist(),
            'versions': versions,
        }
        (directory / f'{name}.json').write_text(json.dumps(facts))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
