"""Exports small models of every library, and compares each file with the library that trained it.

    training/interop/run.sh                                  # prints the table alone
    training/interop/run.sh test/risk/fixtures/exporters     # writes the folders of the tests too
    training/interop/run.sh DIRECTORY NAME ...               # these models alone

The format of the folders is in test/risk/fixtures/exporters/README.md. The table says for each model:

- check: whether `riskgraph model check` takes the file;
- outputs: the largest difference between ONNX Runtime's and the library's own output;
- SHAP: the largest difference between `riskgraph model explain` and the library's own path-dependent values, where the
  file has the library's node counts.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from xgboost import DMatrix, XGBClassifier, XGBRegressor, XGBRFClassifier

from exporting import (
    accept_booleans,
    forest_counts,
    forest_missing,
    histogram_counts,
    lightgbm_counts,
    xgboost_counts,
)

warnings.filterwarnings('ignore')
root = Path(__file__).parents[2]
width = 4


def by_skl2onnx(model, rows):
    return to_onnx(model, rows[:1], options={'zipmap': False} if hasattr(model, 'predict_proba') else None)


inputs = [('X', FloatTensorType([None, width]))]
by_xgboost = lambda model, _: convert_xgboost(model, initial_types=inputs)
by_lightgbm = lambda model, _: convert_lightgbm(
    model, initial_types=inputs, **({'zipmap': False} if hasattr(model, 'predict_proba') else {})
)


def by_catboost(model, _):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'model.onnx')
        model.save_model(path, format='onnx')
        return onnx.load(path)


def forest_lists(exported, model):
    forest_counts(exported, model)
    forest_missing(exported, model)


def models():
    """Yields name, packages, model, data, exporter, and the writer of node counts or None."""
    binary = [part[:400] for part in load_breast_cancer(return_X_y=True)]
    gaps = np.where(np.random.default_rng(2).random(binary[0].shape) < 0.2, np.nan, binary[0]), binary[1]
    several = load_iris(return_X_y=True)
    rows, target = load_diabetes(return_X_y=True)
    quantity = rows * 10, target / 50
    count = rows * 10, np.round(target / 50)
    share = rows * 10, (target - target.min() + 1) / (np.ptp(target) + 2)
    zeros = np.where(np.abs(rows) < 0.02, 0, rows * 10), target / 50 + 3 * (np.abs(rows[:, 2]) < 0.02)
    coded = np.c_[np.random.default_rng(0).integers(0, 6, len(target)), rows[:, :3] * 10], target / 50
    coded = coded[0], coded[1] + np.isin(coded[0][:, 0], [1, 4]) * 3
    sk = ('skl2onnx', 'scikit-learn')
    trees = {'n_estimators': 4, 'max_depth': 3, 'random_state': 1}
    for name, model, data in [
        ('sklearn-rf', RandomForestClassifier(**trees), binary),
        ('sklearn-rf3', RandomForestClassifier(**trees), several),
        ('sklearn-et', ExtraTreesClassifier(**trees), binary),
        ('sklearn-gb', GradientBoostingClassifier(**trees), binary),
        ('sklearn-gb3', GradientBoostingClassifier(**trees), several),
        ('sklearn-rfr', RandomForestRegressor(**trees), quantity),
        ('sklearn-gbr', GradientBoostingRegressor(**trees), quantity),
    ]:
        yield name, sk, model, data, by_skl2onnx, forest_counts if name != 'sklearn-gb3' else None
    for name, lists in [('sklearn-rf-missing', forest_lists), ('sklearn-rf-missing-lost', None)]:
        yield name, sk, RandomForestClassifier(**trees), gaps, by_skl2onnx, lists
    leaves = {'max_iter': 4, 'max_leaf_nodes': 6, 'random_state': 1}
    for name, model, data in [
        ('sklearn-hgb', HistGradientBoostingClassifier(**leaves), binary),
        ('sklearn-hgb3', HistGradientBoostingClassifier(**leaves), several),
        ('sklearn-hgbr', HistGradientBoostingRegressor(**leaves), quantity),
        ('sklearn-hgbr-poisson', HistGradientBoostingRegressor(**leaves, loss='poisson'), count),
        ('sklearn-hgbr-gamma', HistGradientBoostingRegressor(**leaves, loss='gamma'), quantity),
        ('sklearn-hgbr-categorical', HistGradientBoostingRegressor(**leaves, categorical_features=[0]), coded),
    ]:
        yield name, sk, model, data, by_skl2onnx, histogram_counts if name in ('sklearn-hgb', 'sklearn-hgbr') else None
    forest = RandomForestClassifier(**trees)
    for name, model in [
        ('sklearn-bag', BaggingClassifier(forest.set_params(n_estimators=2), 2, random_state=1)),
        ('sklearn-vote-soft', VotingClassifier([('a', forest), ('b', ExtraTreesClassifier(**trees))], voting='soft', flatten_transform=False)),
        ('sklearn-vote-hard', VotingClassifier([('a', forest), ('b', ExtraTreesClassifier(**trees))], flatten_transform=False)),
        ('sklearn-ada', AdaBoostClassifier(n_estimators=4, random_state=1)),
        ('sklearn-first-column', make_pipeline(SelectKBest(lambda x, _: -np.arange(x.shape[1]), k=1), forest)),
    ]:
        yield name, sk, model, binary, by_skl2onnx, None
    xgb = ('onnxmltools', 'xgboost')
    few = {'n_estimators': 4, 'max_depth': 3}
    for name, model, data in [
        ('xgboost-bin', XGBClassifier(**few), binary),
        ('xgboost-3', XGBClassifier(**few), several),
        ('xgboost-rf', XGBRFClassifier(**few), binary),
        ('xgboost-dart', XGBClassifier(**few, booster='dart', rate_drop=0.5), binary),
        ('xgboost-softmax', XGBClassifier(**few, objective='multi:softmax'), several),
        ('xgboost-parallel', XGBClassifier(**few, num_parallel_tree=2), binary),
        ('xgboost-3-parallel', XGBClassifier(**few, num_parallel_tree=2), several),
        ('xgboostr', XGBRegressor(**few), quantity),
        ('xgboostr-count-poisson', XGBRegressor(**few, objective='count:poisson'), count),
        ('xgboostr-reg-gamma', XGBRegressor(**few, objective='reg:gamma'), quantity),
        ('xgboostr-reg-tweedie', XGBRegressor(**few, objective='reg:tweedie'), quantity),
        ('xgboostr-survival-cox', XGBRegressor(**few, objective='survival:cox'), quantity),
        ('xgboostr-reg-logistic', XGBRegressor(**few, objective='reg:logistic'), share),
    ]:
        yield name, xgb, model, data, by_xgboost, xgboost_counts if name in ('xgboost-bin', 'xgboostr') else None
    lgb = ('onnxmltools', 'lightgbm')
    light = {'n_estimators': 4, 'num_leaves': 6, 'verbose': -1}
    sampled = {'boosting_type': 'rf', 'bagging_freq': 1, 'bagging_fraction': 0.6}
    counted = ('lightgbm-bin', 'lightgbmr', 'lightgbmr-categorical')
    of_categories = {'categorical_feature': [0], 'min_data_per_group': 5, 'cat_smooth': 1, 'max_cat_to_onehot': 1}
    for name, model, data in [
        ('lightgbm-bin', LGBMClassifier(**light), binary),
        ('lightgbm-3', LGBMClassifier(**light), several),
        ('lightgbm-ova', LGBMClassifier(**light, objective='multiclassova'), several),
        ('lightgbm-rf', LGBMClassifier(**light, **sampled), binary),
        ('lightgbm-sigma', LGBMClassifier(**light, sigmoid=2.0), binary),
        ('lightgbmr', LGBMRegressor(**light), quantity),
        ('lightgbmr-categorical', LGBMRegressor(**light, **of_categories), coded),
        ('lightgbmr-poisson', LGBMRegressor(**light, objective='poisson'), count),
        ('lightgbmr-gamma', LGBMRegressor(**light, objective='gamma'), quantity),
        ('lightgbmr-tweedie', LGBMRegressor(**light, objective='tweedie'), quantity),
        ('lightgbmr-rf', LGBMRegressor(**light, **sampled), quantity),
        ('lightgbmr-sqrt', LGBMRegressor(**light, reg_sqrt=True), quantity),
        ('lightgbmr-zero-as-missing', LGBMRegressor(**light, zero_as_missing=True), zeros),
        ('lightgbmr-linear-tree', LGBMRegressor(**light, linear_tree=True), quantity),
    ]:
        yield name, lgb, model, data, by_lightgbm, lightgbm_counts if name in counted else None
    symmetric = {'iterations': 4, 'depth': 3, 'verbose': 0, 'allow_writing_files': False, 'random_seed': 1}
    for name, model, data in [
        ('catboost-bin', CatBoostClassifier(**symmetric), binary),
        ('catboost-3', CatBoostClassifier(**symmetric), several),
        ('catboost-ova', CatBoostClassifier(**symmetric, loss_function='MultiClassOneVsAll'), several),
        ('catboostr', CatBoostRegressor(**symmetric), quantity),
        ('catboostr-poisson', CatBoostRegressor(**symmetric, loss_function='Poisson'), count),
    ]:
        yield name, ('catboost',), model, data, by_catboost, None


def own_shap(name, model, rows):
    """The library's own path-dependent values, one per feature."""
    if name.startswith('xgboost'):
        return model.get_booster().predict(DMatrix(rows), pred_contribs=True)[:, :-1]
    if name.startswith('lightgbm'):
        return model.booster_.predict(rows, pred_contrib=True)[:, :-1]
    import shap

    values = np.asarray(shap.TreeExplainer(model).shap_values(rows))
    return values if values.ndim == 2 else values[:, :, -1]


def riskgraph(*arguments):
    return subprocess.run(
        ['node', str(root / 'dist/src/cli.js'), 'model', *map(str, arguments)], capture_output=True, text=True, check=False
    )


def outputs_of(path, rows):
    """ONNX Runtime's last output of numbers."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options)
    last = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    values = [list(row.values()) for row in last] if isinstance(last, list) else last
    return np.asarray(values, float).reshape(len(rows), -1)


def distance(found, expected):
    if found.shape != expected.shape:
        return f'{found.shape[1]} columns for {expected.shape[1]}'
    return f'{np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))):.0e}'


def json_rows(rows):
    return json.dumps([[None if np.isnan(value) else float(value) for value in row] for row in rows])


def compare(name, packages, model, data, export, counts, folder):
    """Writes the folder of one model and returns its row of the table."""
    x, y = np.asarray(data[0], np.float32)[:, :width], data[1]
    model.fit(x, y)
    used = ', '.join(f'{package} {version(package)}' for package in packages)
    try:
        exported = export(model, x)
    except Exception as error:
        return name, used, f'the exporter refuses it: {str(error).splitlines()[0][:80]}', '', ''
    if counts:
        counts(exported, model)
    folder.mkdir(parents=True, exist_ok=True)
    path, rows = folder / 'model.onnx', x[::37][:8]
    onnx.save(exported, path)
    (folder / 'rows.json').write_text(json_rows(rows))
    (folder / 'background.json').write_text(json_rows(x[5::29][:10]))
    predict = model.predict_proba if hasattr(model, 'predict_proba') else model.predict
    own = np.asarray(predict(rows), float).reshape(len(rows), -1)
    try:
        outputs = distance(outputs_of(path, rows), own)
    except Exception as error:
        outputs = f'ONNX Runtime refuses it: {str(error)[:60]}'
    checked = riskgraph('check', path, '--json')
    report = json.loads(checked.stdout)
    failed = [result for result in report['results'] if not result['ok']]
    expected = {'exporter': used}
    if failed:
        expected['refused'] = failed[0]['detail'].split(';')[0]
    else:
        expected['outputs'] = own.tolist()
        if ' ' in outputs or float(outputs) > 2e-3:
            expected['exporterWrong'] = True
    (folder / 'expected.json').write_text(json.dumps(expected))
    values = ''
    if counts and not failed:
        explained = riskgraph('explain', '--model', path, '--rows', folder / 'rows.json', '--method', 'path-dependent')
        if explained.returncode == 0:
            found = np.asarray(json.loads(explained.stdout)['shap_values'])[:, -1]
            values = distance(found, np.asarray(own_shap(name, model, rows)))
    return name, used, failed[0]['detail'][:70] if failed else 'ok', outputs, values


def main(target, names):
    accept_booleans()
    print('| model | versions | check | outputs | SHAP |\n|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as scratch:
        for name, *parts in models():
            if names and name not in names:
                continue
            print('|', ' | '.join(compare(name, *parts, (target or Path(scratch)) / name)), '|', flush=True)


if __name__ == '__main__':
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:])
