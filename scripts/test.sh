#!/bin/sh
# Runs the whole check from a fresh clone. It sets up the machine. It checks types, format, lint, import arrows, drift
# of generated files, and unused code. Then it runs the tests against real engines. It prints its progress every half
# minute, and fails when the tests leave a process or a temporary file behind. The last line is "N passed, N failed".
# The exit code is 0 only when nothing failed.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

check_node
install_packages
install_redis always
install_promtool
install_chromium
install_deployment_tools

report="$(mktemp "${TMPDIR:-/tmp}/riskgraph-report.XXXXXX")"
trap 'stop_saying; rm -f "$report"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check=0
keep_saying 'Checking types, format, lint, import arrows, generated files and unused code (npm run check)'
npm run --silent check || check=$?
stop_saying

say 'Trying the alert rules (promtool test rules)'
check_alerts || check=$?

keep_saying 'Building (npm run build)'
build
stop_saying

say 'Running the tests (npm test)'
tests=0
leftovers=0
run_tests "$report" . "$(dirname "$(command -v node)")" || tests=$?
find_leftovers || leftovers=$?

node scripts/summarize-tests.mjs "$report" "$check" "$tests" "$leftovers"
