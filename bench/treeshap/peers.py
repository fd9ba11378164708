"""Runs XGBoost and shap on the same trees. It answers one line on stdout to each line on stdin.

With the argument `xgboost` it does without shap, which an older XGBoost may not suit.

`load MODEL.json BACKGROUND.f32 N WIDTH`           takes the trees (XGBoost's format) and the background rows of shap
`check PEER ROWS.f32 N WIDTH OUT.f64`              writes N x WIDTH SHAP values, float64
`time PEER ROWS.f32 N WIDTH SECONDS`               answers with the seconds of CPU time per row

PEER is `xgboost` (pred_contribs), `path` or `interventional` (both: shap's C extension).
"""
import importlib
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import xgboost as xgb

shap = None if "xgboost" in sys.argv else importlib.import_module("shap")


def read(file, count, width):
    return np.fromfile(file, dtype="<f4")[: int(count) * int(width)].reshape(int(count), int(width))


def shap_trees(file):
    """Reads the trees of an XGBoost model as shap wants them. x < t becomes x <= the next float32 below t."""
    with open(file) as text:
        trees = json.load(text)["learner"]["gradient_booster"]["model"]["trees"]
    forest = []
    for tree in trees:
        left = np.array(tree["left_children"])
        right = np.array(tree["right_children"])
        conditions = np.array(tree["split_conditions"])
        below = np.nextafter(conditions.astype(np.float32), np.float32(-np.inf)).astype(np.float64)
        forest.append(
            {
                "children_left": left,
                "children_right": right,
                "children_default": right,
                "features": np.where(left < 0, -2, np.array(tree["split_indices"])),
                "thresholds": below,
                "values": np.where(left < 0, conditions, 0.0).reshape(-1, 1),
                "node_sample_weight": np.array(tree["sum_hessian"]),
            }
        )
    return {"trees": forest, "internal_dtype": np.float64, "input_dtype": np.float64, "base_offset": 0.0}


def explainers(model, background):
    booster = xgb.Booster({"nthread": 1}, model_file=model)
    booster.set_param({"nthread": 1})
    own = (
        lambda rows: xgb.DMatrix(rows, nthread=1),
        lambda rows: booster.predict(rows, pred_contribs=True)[:, :-1],
    )
    if shap is None:
        return {"xgboost": own}
    trees = shap_trees(model)
    path = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    interventional = shap.TreeExplainer(trees, background.astype(np.float64), feature_perturbation="interventional")

    def with_shap(explainer):
        return (
            lambda rows: rows.astype(np.float64),
            lambda rows: explainer.shap_values(rows, check_additivity=False),
        )

    return {
        "xgboost": own,
        "path": with_shap(path),
        "interventional": with_shap(interventional),
    }


peers = {}
print(f"XGBoost {xgb.__version__}" + (f", shap {shap.__version__}" if shap else ""), flush=True)
for line in sys.stdin:
    command, *words = line.split()
    answer = "done"
    if command == "load":
        peers = explainers(words[0], read(*words[1:4]))
    else:
        prepare, explain = peers[words[0]]
        rows = prepare(read(*words[1:4]))
        if command == "check":
            np.asarray(explain(rows), dtype="<f8").tofile(words[4])
        else:
            calls, start = 0, time.process_time()
            while calls == 0 or time.process_time() - start < float(words[4]):
                explain(rows)
                calls += 1
            answer = str((time.process_time() - start) / calls / int(words[2]))
    print(answer, flush=True)
