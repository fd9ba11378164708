"""Cross-validation folds, stratified by hospital and outcome, with exact duplicates kept on one side."""
import numpy as np
from sklearn.model_selection import StratifiedKFold

from .patients import Patients, duplicate_groups


def stratified_folds(patients: Patients, folds: int, seed: int) -> list:
    """Makes `folds` pairs of (train rows, test rows). A duplicate goes to the fold of its first copy."""
    strata = patients.hospital * 2 + patients.events
    fold_of = np.empty(len(patients), dtype=int)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fold, (_, test) in enumerate(splitter.split(patients.values, strata)):
        fold_of[test] = fold
    fold_of = fold_of[duplicate_groups(patients)]
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds)]
