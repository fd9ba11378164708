#!/bin/sh
# Installs the peers of bench/interactive.ts outside the repository: the Python service's packages in a virtual
# environment, the Node peers' packages, and the forest of the shipped model as scikit-learn's.
#   bench/peer/set-up.sh [FOLDER]      default: ~/.cache/riskgraph-peers
# PYTHON=... names another interpreter than python3 (3.10 or newer). A second call installs nothing that is there.
set -eu
cd "$(dirname "$0")"
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/riskgraph-peers}
mkdir -p "$folder"
[ -x "$folder/python/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --requirement service/requirements.txt
cp node/package.json "$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --loglevel=error
"$folder/python/bin/python" service/forest.py ../../risk-models/heart-disease "$folder/heart-disease.joblib"
"$folder/python/bin/python" -c 'import pymongo, bson; assert pymongo.has_c() and bson.has_c()'
