"""Checks of the training code that need no data: (cd training && /usr/bin/python3 -m unittest discover tests)"""
import itertools
import math
import sys
import unittest
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))

from heart_disease.features import FEATURE_CODES, FEATURES  # noqa: E402
from heart_disease.folds import stratified_folds  # noqa: E402
from heart_disease.imputation import impute, learn_imputation  # noqa: E402
from heart_disease.measures import auroc, brier, calibration_intercept, calibration_slope  # noqa: E402
from heart_disease.onnx_export import export_forest, float32_threshold  # noqa: E402
from heart_disease.patients import Patients  # noqa: E402
from heart_disease.tree_shap import raw_outputs, read_leaves, shap_values  # noqa: E402


def small_forest(features: int = 6, rows: int = 300):
    generator = np.random.default_rng(7)
    inputs = generator.normal(size=(rows, features)).astype(np.float32)
    outcome = (inputs[:, 0] + inputs[:, 1] * inputs[:, 2] + generator.normal(size=rows) > 0).astype(int)
    return RandomForestClassifier(8, max_depth=4, random_state=3).fit(inputs, outcome), inputs


def coalition_value(leaves, row, known) -> float:
    """Returns the expected output when features outside `known` are averaged by cover. This is the definition."""
    total = 0.0
    for leaf in leaves:
        share = leaf.weight
        for feature, (low, high) in leaf.bounds.items():
            share *= float(low < row[feature] <= high) if feature in known else leaf.cover_share[feature]
        total += share
    return total


class TreeShapTest(unittest.TestCase):
    def test_equals_the_definition_by_enumerating_every_coalition(self):
        forest, inputs = small_forest()
        leaves = read_leaves(export_forest(forest, 'test'))
        _, contributions = shap_values(leaves, inputs[:3])
        features = range(inputs.shape[1])
        for row, found in zip(inputs[:3], contributions):
            for feature in features:
                others = [other for other in features if other != feature]
                expected = sum(
                    math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(others) + 1)
                    * (coalition_value(leaves, row, {*known, feature}) - coalition_value(leaves, row, known))
                    for size in range(len(others) + 1) for known in itertools.combinations(others, size))
                self.assertAlmostEqual(found[feature], expected, places=12)

    def test_adds_up_to_the_raw_output_of_scikit_learn(self):
        forest, inputs = small_forest()
        leaves = read_leaves(export_forest(forest, 'test'))
        base, contributions = shap_values(leaves, inputs)
        np.testing.assert_allclose(base + contributions.sum(axis=1), raw_outputs(leaves, inputs), atol=1e-12)
        np.testing.assert_allclose(raw_outputs(leaves, inputs), forest.predict_proba(inputs)[:, 1], atol=1e-6)


class ExportTest(unittest.TestCase):
    def test_thresholds_are_rounded_down(self):
        for threshold in (0.1, 0.3, -0.1, 54.5, 1e-30):
            rounded = np.float32(float32_threshold(threshold))
            self.assertLessEqual(float(rounded), threshold)
            self.assertGreater(float(np.nextafter(rounded, np.float32(np.inf))), threshold)

    def test_the_same_forest_gives_the_same_bytes(self):
        self.assertEqual(export_forest(small_forest()[0], 'test'), export_forest(small_forest()[0], 'test'))


class MeasuresTest(unittest.TestCase):
    def test_agree_with_scikit_learn(self):
        generator = np.random.default_rng(1)
        probability = np.round(generator.random(500), 2)
        events = (generator.random(500) < probability).astype(int)
        self.assertAlmostEqual(auroc(events, probability), roc_auc_score(events, probability), places=12)
        self.assertAlmostEqual(brier(events, probability), brier_score_loss(events, probability), places=12)

    def test_calibration_finds_a_known_distortion(self):
        generator = np.random.default_rng(2)
        logit = generator.normal(size=200_000)
        events = (generator.random(logit.size) < 1 / (1 + np.exp(-logit))).astype(int)
        too_extreme, too_low = 1 / (1 + np.exp(-2 * logit)), 1 / (1 + np.exp(-(logit - 0.5)))
        self.assertAlmostEqual(calibration_slope(events, too_extreme), 0.5, delta=0.02)
        self.assertAlmostEqual(calibration_intercept(events, too_low), 0.5, delta=0.02)


class PatientsTest(unittest.TestCase):
    def test_missing_values_are_imputed_and_required_ones_refused(self):
        values = np.tile([50, 1, 4, 130, 240, 0, 0, 150, 0, 1.0, 2, 0, 3], (4, 1)).astype(float)
        values[0, 3:] = np.nan
        values[1:, FEATURE_CODES.index('thalassemia')] = [3, 7, 7]
        learned = learn_imputation(values)
        self.assertEqual(learned[FEATURE_CODES.index('thalassemia')], 6)
        self.assertFalse(np.isnan(impute(values, learned)).any())
        for column, feature in enumerate(FEATURES):
            if feature.required:
                self.assertTrue(np.isnan(learned[column]))
        values[2, 0] = np.nan
        with self.assertRaisesRegex(ValueError, 'age'):
            impute(values, learned)

    def test_a_copy_is_never_tested_against_its_twin(self):
        generator = np.random.default_rng(5)
        values = generator.normal(size=(80, len(FEATURES)))
        values[79] = values[0]
        patients = Patients(values, np.arange(80) % 2, np.zeros(80, dtype=int))
        patients.events[79] = patients.events[0]
        for seed in range(5):
            for _, test in stratified_folds(patients, 5, seed):
                self.assertEqual(0 in test, 79 in test)


if __name__ == '__main__':
    unittest.main()
