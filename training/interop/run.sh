#!/bin/sh
# Exports models of every library with its newest version, and prints a table of how each file compares with its library.
#
#   training/interop/run.sh                                  the table alone
#   training/interop/run.sh test/risk/fixtures/exporters     writes the folders of the tests too
#   training/interop/run.sh DIRECTORY NAME ...               the folders of these models alone
#   PYTHON=/path/to/python training/interop/run.sh           with packages that are installed already
set -eu
cd "$(dirname "$0")/../.."
[ -f dist/src/cli.js ] || npm run --silent build
if [ -z "${PYTHON:-}" ]; then
  PYTHON=.data/interop/bin/python
  [ -x "$PYTHON" ] || python3 -m venv .data/interop
  "$PYTHON" -m pip install --quiet --upgrade scikit-learn skl2onnx onnxmltools lightgbm xgboost catboost onnx onnxruntime shap pandas
fi
exec "$PYTHON" training/interop/exporters.py "$@"
