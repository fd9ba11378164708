"""Help for exporting models: the library's own node counts, and a mend of skl2onnx.

Path-dependent SHAP weighs the branches by the training rows that reached each node. The exporters leave these counts out
or write 1. With the library's counts, RiskGraph's path-dependent values are those of the library.
"""

import onnx


def write_counts(exported, roots, children, count):
    """Walks the trees of the file and of the library together, and writes count(node) to nodes_hitrates.

    roots: the library's trees in order; children(node): the children for true and false, none for a leaf.
    """
    write_per_node(exported, roots, children, 'nodes_hitrates', lambda node: float(count(node)))


def write_per_node(exported, roots, children, name, value):
    """Walks the trees of the file and of the library together, and writes value(node) to the list `name`."""
    trees = next(node for node in exported.graph.node if node.op_type.startswith('TreeEnsemble'))
    lists = {attribute.name: attribute for attribute in trees.attribute}
    tree_ids, node_ids = lists['nodes_treeids'].ints, lists['nodes_nodeids'].ints
    place = {key: index for index, key in enumerate(zip(tree_ids, node_ids))}
    sides = [list(lists[side].ints) for side in ('nodes_truenodeids', 'nodes_falsenodeids')]
    values = [None] * len(place)

    def walk(tree, node, own):
        index = place[tree, node]
        values[index] = value(own)
        for side, child in zip(sides, children(own)):
            walk(tree, side[index], child)

    for tree, root in enumerate(roots):
        walk(tree, next(node for key, node in place if key == tree), root)
    if name in lists:
        trees.attribute.remove(lists[name])
    trees.attribute.append(onnx.helper.make_attribute(name, values))


def xgboost_counts(exported, model):
    """XGBoost's cover: the sum of the hessians of the rows."""
    table = model.get_booster().trees_to_dataframe().set_index('ID')
    write_counts(
        exported,
        [key for key in table.index if key.endswith('-0')],
        lambda key: [] if table.Feature[key] == 'Leaf' else [table.Yes[key], table.No[key]],
        lambda key: table.Cover[key],
    )


def lightgbm_counts(exported, model):
    """LightGBM's number of training rows.

    The converter writes a split on a set of k categories as a chain of k nodes, each with the whole left subtree below it.
    Each gets a k-th of the rows of the left side: together they weigh as the one split does.
    """

    def rows(node):
        return node.get('internal_count', node.get('leaf_count'))

    def left_of_each(node):
        categories = str(node['threshold']).count('||') + 1 if node['decision_type'] == '==' else 1
        return categories, rows(node['left_child']) / categories

    def children(at):
        node, tested, share = at
        if 'left_child' not in node:
            return []
        categories, _ = left_of_each(node)
        rest = (node['right_child'], 0, share) if tested + 1 == categories else (node, tested + 1, share)
        return [(node['left_child'], 0, share / categories), rest]

    def count(at):
        node, tested, share = at
        return share * (rows(node) - (tested * left_of_each(node)[1] if tested else 0))

    roots = [(tree['tree_structure'], 0, 1) for tree in model.booster_.dump_model()['tree_info']]
    write_counts(exported, roots, children, count)


def histogram_counts(exported, model):
    """The number of training rows of HistGradientBoosting."""
    tables = [predictor.nodes for group in model._predictors for predictor in group]
    write_counts(
        exported,
        [(table, 0) for table in tables],
        lambda at: [] if at[0][at[1]]['is_leaf'] else [(at[0], at[0][at[1]][side]) for side in ('left', 'right')],
        lambda at: at[0][at[1]]['count'],
    )


def accept_booleans():
    """skl2onnx 1.20 gives booleans for whole numbers of HistGradientBoosting, which protobuf refuses."""
    make = onnx.helper.make_attribute

    def make_attribute(key, value, *others, **named):
        if not isinstance(value, (str, bytes)) and hasattr(value, '__len__'):
            value = [int(item) if type(item).__name__ in ('bool', 'bool_') else item for item in value]
        return make(key, value, *others, **named)

    onnx.helper.make_attribute = make_attribute


def forest_counts(exported, model):
    """The weighted training rows of scikit-learn's trees, forests and GradientBoosting."""
    write_counts(exported, *forest_of(model), lambda at: at[0].weighted_n_node_samples[at[1]])


def forest_missing(exported, model):
    """The side that a missing value takes in scikit-learn's trees and forests. skl2onnx 1.20 leaves it out."""
    write_per_node(
        exported,
        *forest_of(model),
        'nodes_missing_value_tracks_true',
        lambda at: int(at[0].children_left[at[1]] >= 0 and at[0].missing_go_to_left[at[1]]),
    )


def forest_of(model):
    """The roots of scikit-learn's trees, and the function that gives the children of a node."""
    estimators = getattr(model, 'estimators_', [model])
    return (
        [(estimator.tree_, 0) for estimator in getattr(estimators, 'flat', estimators)],
        lambda at: []
        if at[0].children_left[at[1]] < 0
        else [(at[0], side[at[1]]) for side in (at[0].children_left, at[0].children_right)],
    )
