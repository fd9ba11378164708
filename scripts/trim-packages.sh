#!/bin/sh
# Removes from node_modules what the image does not need. The Dockerfile runs it after `npm ci --omit=dev`.
#
#   scripts/trim-packages.sh [FOLDER]     the folder that holds node_modules, by default this one
set -eu
bundled="$(cd "$(dirname "$0")" && pwd)/packages.txt"
cd "${1:-.}/node_modules"

# The packages that are in dist/bundle are not loaded from here. scripts/build-server.mjs lists them, and keeps their
# licences.
if [ -e "$bundled" ]; then xargs rm -rf < "$bundled"; fi

# The embedded MongoDB serves `riskgraph up`, which no container runs.
rm -rf @0q

# ONNX Runtime has libraries for three operating systems and two processors. Only those of this image stay, without the
# providers of graphics cards.
find onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/linux/$(node -p process.arch)" -exec rm -rf {} +
find onnxruntime-node/bin -name '*onnxruntime_providers_*' -delete

# TypeScript and source maps of packages serve development.
find . -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete
