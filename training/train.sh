#!/bin/sh
# Trains, validates and writes risk-models/heart-disease. Usage: training/train.sh DATA_DIRECTORY
set -eu
PYTHON="${PYTHON:-/usr/bin/python3}"
if [ $# -ne 1 ]; then
  echo "usage: training/train.sh DATA_DIRECTORY (the one with processed.cleveland.data and the three others)" >&2
  exit 1
fi
if ! "$PYTHON" -c 'import sklearn, onnx' 2>/dev/null; then
  echo "$PYTHON has no scikit-learn or onnx: apt-get install python3-sklearn python3-onnx, or set PYTHON" >&2
  exit 1
fi
exec "$PYTHON" "$(dirname "$0")/train.py" --data "$1"
