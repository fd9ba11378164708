#!/bin/sh
# Measures RiskGraph beside the software that it replaces, in one run: bench/interactive.ts with all its peers.
#   bench/interactive.sh [rounds] [seconds] [folders of other builds...]     npm run build first
# PEER_FOLDER=... names the folder of the peers' packages (default: ~/.cache/riskgraph-peers); PEERS, POLL_MS and WORK
# are those of bench/interactive.ts.
set -eu
cd "$(dirname "$0")/.."
export PEER_FOLDER="${PEER_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/riskgraph-peers}"
export PEERS="${PEERS:-flask,mercurius,apollo}"
bench/peer/set-up.sh "$PEER_FOLDER"
exec node --import @swc-node/register/esm-register bench/interactive.ts "$@"
