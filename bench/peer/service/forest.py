"""Writes the forest of a risk model as scikit-learn's, node by node.

    python forest.py RISK_MODEL_FOLDER OUTPUT.joblib

It is a regression forest whose output is the probability of the second class. So shap explains one output, not two.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import onnx
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import Tree

LEAF = -1


def main() -> None:
    folder, output = Path(sys.argv[1]), sys.argv[2]
    manifest = json.loads((folder / 'manifest.json').read_text())
    forest = read_forest(folder / manifest['model']['file'], len(manifest['features']))
    kept = ('id', 'version', 'calibration', 'riskBands', 'features')
    joblib.dump({'forest': forest, **{name: manifest[name] for name in kept}}, output)


def read_forest(file: Path, features: int) -> RandomForestRegressor:
    """Reads the forest of an ONNX file that training/heart_disease/onnx_export.py has written."""
    columns = {attribute.name: attribute_values(attribute) for attribute in onnx.load(file).graph.node[0].attribute}
    trees = np.unique(columns['nodes_treeids'])
    forest = RandomForestRegressor(n_estimators=len(trees))
    forest.n_features_in_, forest.n_outputs_ = features, 1
    forest.estimators_ = [read_tree(columns, tree, len(trees), features) for tree in trees]
    return forest


def attribute_values(attribute: onnx.AttributeProto) -> np.ndarray:
    return np.asarray(onnx.helper.get_attribute_value(attribute))


def read_tree(columns: dict[str, np.ndarray], tree: int, trees: int, features: int) -> DecisionTreeRegressor:
    """Reads one tree. Its nodes are numbered from 0, parents before children."""
    of_tree = columns['nodes_treeids'] == tree
    leaf = columns['nodes_modes'][of_tree] == b'LEAF'
    cover = columns['nodes_hitrates'][of_tree].astype(float)
    left = np.where(leaf, LEAF, columns['nodes_truenodeids'][of_tree])
    right = np.where(leaf, LEAF, columns['nodes_falsenodeids'][of_tree])
    if not np.array_equal(columns['nodes_nodeids'][of_tree], np.arange(len(leaf))):
        raise ValueError(f'tree {tree}: its nodes are not numbered from 0')

    value = np.zeros(len(leaf))
    weights = columns['class_treeids'] == tree
    value[columns['class_nodeids'][weights]] = columns['class_weights'][weights].astype(float) * trees
    for node in np.flatnonzero(~leaf)[::-1]:
        children = [left[node], right[node]]
        value[node] = np.average(value[children], weights=cover[children])

    nodes = np.zeros(len(leaf), dtype=node_type())
    nodes['left_child'], nodes['right_child'] = left, right
    nodes['feature'] = np.where(leaf, -2, columns['nodes_featureids'][of_tree])
    nodes['threshold'] = np.where(leaf, -2, columns['nodes_values'][of_tree])
    nodes['n_node_samples'] = nodes['weighted_n_node_samples'] = cover
    fitted = DecisionTreeRegressor()
    fitted.n_features_in_, fitted.n_outputs_ = features, 1
    fitted.tree_ = Tree(features, np.ones(1, dtype=np.intp), 1)
    fitted.tree_.__setstate__(
        {
            'max_depth': depth(left, right),
            'node_count': len(nodes),
            'nodes': nodes,
            'values': value.reshape(-1, 1, 1),
        }
    )
    return fitted


def node_type() -> np.dtype:
    """Returns the type of a node in this version of scikit-learn."""
    tiny = DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    return tiny.tree_.__getstate__()['nodes'].dtype


def depth(left: np.ndarray, right: np.ndarray) -> int:
    """Number of splits above the deepest leaf."""
    depths = np.zeros(len(left), dtype=int)
    for node in np.flatnonzero(left != LEAF):
        depths[[left[node], right[node]]] = depths[node] + 1
    return int(depths.max())


if __name__ == '__main__':
    main()
