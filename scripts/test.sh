#!/bin/sh
# The whole check from a fresh clone: sets up, then types, lint, import arrows, generated-file drift, and the tests against
# real engines. The last line is "N passed, N failed"; the exit code is 0 only when nothing failed.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

check_node
install_packages
install_redis always

report="$(mktemp "${TMPDIR:-/tmp}/riskgraph-report.XXXXXX")"
trap 'rm -f "$report"' EXIT

check=0
say 'Checking types, lint, import arrows and generated files (npm run check)'
npm run --silent check || check=$?

tests=0
say 'Running the tests (npm test)'
# The settings of a deployment on this machine are not the tests' business.
env -u MONGO_URI -u REDIS_URL -u SECRET_KEY -u NODE_ENV -u PORT npm run --silent test -- --reporter=default --reporter=json --outputFile.json="$report" || tests=$?

node scripts/summarize-tests.mjs "$report" "$check" "$tests"
