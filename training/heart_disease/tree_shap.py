"""Raw outputs and exact path-dependent SHAP values, computed from the ONNX file alone, in float64.

The definition is that of Lundberg et al. 2020 (Nature Machine Intelligence 2, 56-67): features outside a coalition
are averaged by the sample counts of the nodes. For one leaf the game is a product with one factor per feature. So its
Shapley value is the integral over t in [0, 1] of the product of (absent + t * (present - absent)) over the other
features (Owen 1972). Gauss-Legendre quadrature computes it exactly.
"""
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper


@dataclass(frozen=True)
class Leaf:
    """A leaf and the path to it. `bounds[feature]`: the row is on the path when low < x <= high (float32).
    `cover_share[feature]`: the product of child to parent sample counts at the splits on that feature."""

    weight: float
    bounds: dict
    cover_share: dict


def read_leaves(model_bytes: bytes) -> list:
    """Reads the leaves of a binary TreeEnsembleClassifier with one class id and BRANCH_LEQ splits, tree by tree."""
    node = onnx.load_from_string(model_bytes).graph.node[0]
    attribute = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    if set(attribute['class_ids']) != {0} or set(attribute['nodes_modes']) - {b'BRANCH_LEQ', b'LEAF'}:
        raise ValueError('only single class id forests with BRANCH_LEQ splits can be read here')
    columns = zip(*(attribute[f'nodes_{name}'] for name in
                    ('treeids', 'nodeids', 'featureids', 'modes', 'values', 'hitrates', 'truenodeids', 'falsenodeids')))
    nodes = {(tree, index): rest for tree, index, *rest in columns}
    weights = dict(zip(zip(attribute['class_treeids'], attribute['class_nodeids']), attribute['class_weights']))
    trees = dict.fromkeys(attribute['nodes_treeids'])
    return [leaf for tree in trees for leaf in _walk(nodes, weights, tree, 0, {}, {})]


def _walk(nodes, weights, tree, index, bounds, cover_share):
    feature, mode, threshold, cover, true_child, false_child = nodes[tree, index]
    if mode == b'LEAF':
        yield Leaf(weights[tree, index], bounds, cover_share)
        return
    low, high = bounds.get(feature, (-np.inf, np.inf))
    for child, interval in ((true_child, (low, min(high, threshold))), (false_child, (max(low, threshold), high))):
        share = cover_share.get(feature, 1.0) * nodes[tree, child][3] / cover
        yield from _walk(nodes, weights, tree, child, {**bounds, feature: interval}, {**cover_share, feature: share})


def raw_outputs(leaves: list, rows: np.ndarray) -> np.ndarray:
    """Returns the sum of the weights of the leaves that each row reaches."""
    rows = rows.astype(np.float32)
    total = np.zeros(len(rows))
    for leaf in leaves:
        reached = np.ones(len(rows), dtype=bool)
        for feature, interval in leaf.bounds.items():
            reached &= _inside(rows[:, feature], interval)
        total[reached] += leaf.weight
    return total


def shap_values(leaves: list, rows: np.ndarray) -> tuple:
    """Returns base value and contributions [row, feature]; base value + a row's contributions = its raw output."""
    rows = rows.astype(np.float32)
    base, contributions = 0.0, np.zeros(rows.shape)
    deepest = max(len(leaf.bounds) for leaf in leaves)
    points, point_weights = np.polynomial.legendre.leggauss(deepest // 2 + 1)
    points, point_weights = (points + 1) / 2, point_weights / 2
    for leaf in leaves:
        base += leaf.weight * np.prod(list(leaf.cover_share.values()))
        differences, factors = {}, {}
        for feature, interval in leaf.bounds.items():
            absent = leaf.cover_share[feature]
            differences[feature] = _inside(rows[:, feature], interval) - absent
            factors[feature] = absent + points * differences[feature][:, None]
        for feature in leaf.bounds:
            others = np.ones((len(rows), len(points)))
            for other, factor in factors.items():
                if other != feature:
                    others = others * factor
            contributions[:, feature] += leaf.weight * differences[feature] * (others @ point_weights)
    return base, contributions


def _inside(column: np.ndarray, interval: tuple) -> np.ndarray:
    low, high = interval
    return (column > low) & (column <= high)
