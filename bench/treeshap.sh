#!/bin/sh
# Compares the speed of SHAP with XGBoost on identical trees: one thread, one core, in turns. It also compares the
# values.
#   bench/treeshap.sh [DIRECTORY] [--curve]
# DIRECTORY has models/, rows.f32, background.f32 and expected-*.json. With --curve it measures only the depth curve.
# Needs python3 with xgboost (Debian: python3-xgboost); PYTHON names another interpreter.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1
pin=""
if command -v taskset > /dev/null; then pin="taskset -c 1"; fi
directory=${1:-../shared/bench/treeshap}
[ $# -eq 0 ] || shift
exec $pin node --import @swc-node/register/esm-register bench/treeshap/run.ts "$directory" "$@"
