#!/bin/sh
# Compares the speed of SHAP with XGBoost and with shap's C extension on identical trees: one thread each, in turns, by
# CPU time. It also compares the values.
#   bench/treeshap.sh [DIRECTORY] [--curve]
#   PYTHON=/path/to/python bench/treeshap.sh [DIRECTORY]     with xgboost and shap that are installed already
#   OLDER_PYTHON=/path/to/python ...                         an older XGBoost in the same run, to compare the two
# DIRECTORY has models/, rows.f32, background.f32 and expected-*.json. With --curve it measures only the depth curve.
# Without PYTHON it installs the newest packages that python3 takes. The newest of all need Python 3.12.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1
directory=${1:-../shared/bench/treeshap}
[ $# -eq 0 ] || shift
if [ -z "${PYTHON:-}" ]; then
  PYTHON=.data/treeshap/bin/python
  [ -x "$PYTHON" ] || python3 -m venv .data/treeshap
  "$PYTHON" -m pip install --quiet --upgrade xgboost shap
fi
export PYTHON
exec node --import @swc-node/register/esm-register bench/treeshap/run.ts "$directory" "$@"
