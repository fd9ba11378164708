"""Writes a binary scikit-learn forest as ONNX, in the layout of skl2onnx, but with real covers.

Operator: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
"""
import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.ensemble import RandomForestClassifier

IR_VERSION = 8
ONNX_OPSET = 15
ML_OPSET = 1


def export_forest(forest: RandomForestClassifier, description: str) -> bytes:
    """Writes the forest as ONNX. Input: `X` float32 [rows, features]. Outputs: `label`, `probabilities` [rows, 2].

    Only the weights of the second class are written, all with class id 0. ONNX Runtime then returns [1 - sum, sum].
    `nodes_hitrates` has the bootstrap sample counts, which path-dependent SHAP needs; skl2onnx itself writes ones.
    """
    classes = [int(label) for label in forest.classes_]
    if len(classes) != 2:
        raise ValueError(f'a binary classifier is needed, this one has {len(classes)} classes')
    attributes = _empty_attributes()
    for tree_id, estimator in enumerate(forest.estimators_):
        _append_tree(attributes, tree_id, estimator.tree_, len(forest.estimators_))
    node = helper.make_node('TreeEnsembleClassifier', ['X'], ['label', 'probabilities'], name='TreeEnsembleClassifier',
                            domain='ai.onnx.ml', classlabels_int64s=classes, post_transform='NONE', **attributes)
    graph = helper.make_graph(
        [node], 'random_forest',
        [helper.make_tensor_value_info('X', TensorProto.FLOAT, [None, forest.n_features_in_])],
        [helper.make_tensor_value_info('label', TensorProto.INT64, [None]),
         helper.make_tensor_value_info('probabilities', TensorProto.FLOAT, [None, 2])])
    model = helper.make_model(graph, ir_version=IR_VERSION, producer_name='riskgraph-training', doc_string=description,
                              opset_imports=[helper.make_opsetid('ai.onnx.ml', ML_OPSET),
                                             helper.make_opsetid('', ONNX_OPSET)])
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def float32_threshold(threshold: float) -> float:
    """Returns the largest float32 not above `threshold`.

    scikit-learn compares a float32 input with a float64 threshold, ONNX Runtime with a float32 one. With rounding down,
    every float32 input stays on its side of `x <= threshold`. With rounding to nearest, it may not.
    """
    nearest = np.float32(threshold)
    return float(nearest if nearest <= threshold else np.nextafter(nearest, np.float32(-np.inf)))


def _empty_attributes() -> dict:
    node_columns = ('treeids', 'nodeids', 'featureids', 'modes', 'values', 'hitrates', 'truenodeids', 'falsenodeids',
                    'missing_value_tracks_true')
    class_columns = ('treeids', 'nodeids', 'ids', 'weights')
    return {**{f'nodes_{name}': [] for name in node_columns}, **{f'class_{name}': [] for name in class_columns}}


def _append_tree(attributes: dict, tree_id: int, tree, trees: int) -> None:
    for node_id in range(tree.node_count):
        is_leaf = tree.children_left[node_id] == -1
        row = {
            'treeids': tree_id,
            'nodeids': node_id,
            'featureids': 0 if is_leaf else int(tree.feature[node_id]),
            'modes': 'LEAF' if is_leaf else 'BRANCH_LEQ',
            'values': 0.0 if is_leaf else float32_threshold(tree.threshold[node_id]),
            'hitrates': float(tree.weighted_n_node_samples[node_id]),
            'truenodeids': 0 if is_leaf else int(tree.children_left[node_id]),
            'falsenodeids': 0 if is_leaf else int(tree.children_right[node_id]),
            'missing_value_tracks_true': 0,
        }
        for name, value in row.items():
            attributes[f'nodes_{name}'].append(value)
        if is_leaf:
            weights = tree.value[node_id][0]
            leaf = {'treeids': tree_id, 'nodeids': node_id, 'ids': 0,
                    'weights': float(np.float32(weights[1] / weights.sum() / trees))}
            for name, value in leaf.items():
                attributes[f'class_{name}'].append(value)
