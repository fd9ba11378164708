#!/bin/sh
# Makes this machine ready to build, run and test. It checks Node.js, installs the npm packages of the lock file, and
# installs redis-server when it is missing. quickstart.sh and test.sh source it from the top folder. Each step prints
# its work, and does nothing when it was done already. It is plain sh: bash and curl may be absent.

# A failure inside a pipe also counts, if the shell has this option.
# shellcheck disable=SC3040
if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi

say() { printf '\033[2m==>\033[0m %s\n' "$*"; }
if [ ! -t 1 ]; then say() { printf '==> %s\n' "$*"; }; fi

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the current work, and again every half minute until stop_saying.
keep_saying() {
  say "$1"
  (
    nap=''
    # Without the trap, the sleep would outlive the shell.
    trap 'kill "$nap" 2>/dev/null; exit 0' TERM
    minutes=0
    while :; do
      for seconds in 30 0; do
        sleep 30 &
        nap=$!
        wait "$nap" || exit 0
        # The loop ends with the script, even when that is killed.
        kill -0 "$$" 2>/dev/null || exit 0
        if [ "$seconds" -eq 0 ]; then minutes=$((minutes + 1)); fi
        say "$1, for $minutes min $seconds s"
      done
    done
  ) &
  pulse=$!
}

stop_saying() {
  [ -n "${pulse:-}" ] || return 0
  kill "$pulse" 2>/dev/null || true
  wait "$pulse" 2>/dev/null || true
  pulse=''
}

# Refuses a Node.js that is too old. One newer than the newest tested version may work, so it only causes a warning.
check_node() {
  command -v node >/dev/null 2>&1 || fail 'Node.js is not on the PATH: install version 24 (https://nodejs.org), then run this again'
  found="$(node --version)" || fail 'node --version failed: install Node.js 24 (https://nodejs.org), then run this again'
  major="${found#v}"
  major="${major%%.*}"
  minor="${found#v*.}"
  minor="${minor%%.*}"
  case "$major$minor" in *[!0-9]* | '') fail "node --version says '$found', which is no version: install Node.js 24 (https://nodejs.org), then run this again" ;; esac
  if [ "$major" -lt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -lt 19 ]; }; then
    fail "Node.js $found is too old: install version 24, or any from 20.19 to 26 (https://nodejs.org), then run this again"
  fi
  if [ "$major" -gt 26 ]; then
    printf 'warning: Node.js %s is newer than 26, the newest tested with RiskGraph: if something fails, install version 24 (https://nodejs.org)\n' "$found" >&2
  fi
  command -v npm >/dev/null 2>&1 || fail 'npm is not on the PATH: install it (it comes with Node.js; on Debian: apt-get install npm), then run this again'
}

install_packages() {
  # npm writes node_modules/.package-lock.json last, so a broken installation is repeated.
  if [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then return 0; fi
  say 'Installing the npm packages (npm ci)'
  # No package needs its install script (.npmrc switches them off too). The one of onnxruntime-node would download CUDA.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
    || fail 'npm ci failed (see above): check the connection to the package registry (npm ping), then run this again'
}

# Runs a command with the rights of root: directly for root, else with sudo. On a terminal sudo may ask for a password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null 2>&1 || fail "installing redis-server needs root, and there is no sudo: run 'apt-get install redis-server' as root, or set REDIS_URL to a Redis that runs already"
  if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
}

install_redis() {
  if command -v redis-server >/dev/null 2>&1; then return 0; fi
  if [ "${1:-}" != 'always' ]; then
    if [ -n "${REDIS_URL:-}" ] || grep -qs '^REDIS_URL=.' .env; then return 0; fi
  fi
  if command -v apt-get >/dev/null 2>&1; then
    say 'Installing redis-server (apt-get install redis-server)'
    as_root apt-get -qq update || fail 'apt-get update failed (see above): repair the package sources, or install redis-server yourself'
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends redis-server >/dev/null \
      || fail 'apt-get could not install redis-server (see above): install it yourself, or set REDIS_URL to a Redis that runs already'
    # Debian starts its own service on port 6379. RiskGraph runs a private Redis, so the service is stopped.
    if [ -d /run/systemd/system ]; then as_root systemctl disable --now --quiet redis-server || true
    elif command -v service >/dev/null 2>&1; then as_root service redis-server stop >/dev/null 2>&1 || true; fi
  elif command -v brew >/dev/null 2>&1; then
    say 'Installing redis (brew install redis)'
    brew install --quiet redis || fail 'brew could not install redis (see above): install it yourself, or set REDIS_URL to a Redis that runs already'
  else
    fail 'redis-server is not on the PATH, and there is neither apt-get nor brew to install it: install Redis 6.2 or newer, or set REDIS_URL to a Redis that runs already'
  fi
  command -v redis-server >/dev/null 2>&1 || fail 'redis-server was installed but is not on the PATH: add its folder to the PATH, then run this again'
}

# Installs promtool and amtool, which try the alert rules. A machine without apt-get goes without them, and is told so.
install_promtool() {
  if command -v promtool >/dev/null 2>&1 && command -v amtool >/dev/null 2>&1; then return 0; fi
  if command -v apt-get >/dev/null 2>&1; then
    say 'Installing promtool and amtool (apt-get install prometheus prometheus-alertmanager)'
    if as_root apt-get -qq update \
      && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends prometheus prometheus-alertmanager >/dev/null; then
      # Debian starts services of its own.
      if [ -d /run/systemd/system ]; then as_root systemctl disable --now --quiet prometheus prometheus-alertmanager || true; fi
      return 0
    fi
  fi
  printf 'warning: promtool and amtool are not here, so the alert rules are not tried: install Prometheus and its Alertmanager\n' >&2
}

# Installs Chromium, in which the tests of the console run.
install_chromium() {
  for browser in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    if [ -n "$browser" ] && [ -x "$browser" ]; then return 0; fi
  done
  if command -v apt-get >/dev/null 2>&1; then
    say 'Installing Chromium (apt-get install chromium)'
    as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null && return 0
  fi
  fail 'Chromium is not here, and the tests of the console need it: install it, or set CHROMIUM to the path of one, then run this again'
}

# Installs what the tests of ops/nginx, ops/systemd and ops/logrotate need.
install_deployment_tools() {
  PATH="$PATH:/usr/sbin"
  missing=''
  command -v nginx >/dev/null 2>&1 || missing='nginx'
  command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
  command -v logrotate >/dev/null 2>&1 || missing="$missing logrotate"
  missing="${missing# }"
  [ -n "$missing" ] || return 0
  if command -v apt-get >/dev/null 2>&1; then
    say "Installing what the tests of ops/ need (apt-get install $missing)"
    # Each word is a package.
    # shellcheck disable=SC2086
    if as_root apt-get -qq update \
      && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null; then
      # Debian starts a service of its own.
      case "$missing" in
        nginx*) if [ -d /run/systemd/system ]; then as_root systemctl disable --now --quiet nginx || true; fi ;;
      esac
      return 0
    fi
  fi
  printf 'warning: %s cannot be installed here, so the tests of ops/ will fail: install it yourself\n' "$missing" >&2
}

# Tries the rules of ops/prometheus with the tools of Prometheus, where they are installed.
check_alerts() {
  command -v promtool >/dev/null 2>&1 && command -v amtool >/dev/null 2>&1 || return 0
  (
    cd ops/prometheus
    promtool check config --lint=all --lint-fatal prometheus.yml >/dev/null
    promtool test rules rules.test.yml >/dev/null
    amtool check-config alertmanager.yml >/dev/null
  )
}

# Prints one checksum of the names and contents of all files that the build reads.
source_checksum() {
  find src schema models workers web package.json tsconfig.json tsconfig.build.json tsconfig.client.json package-lock.json scripts/link-bin.mjs scripts/build-server.mjs scripts/built-pages.mjs scripts/build-explorer.mjs scripts/build-console.mjs -type f 2>/dev/null \
    | LC_ALL=C sort | xargs cksum | cksum
}

# Builds unless dist/ is the build of exactly these sources. A build without this script leaves a newer cli.js.
build() {
  sources="$(source_checksum)"
  if [ "$(cat dist/.built 2>/dev/null)" = "$sources" ] && [ ! dist/src/cli.js -nt dist/.built ]; then return 0; fi
  say 'Building (npm run build)'
  mkdir -p dist
  : > dist/.begun
  npm run --silent build || fail 'the build failed (see above)'
  # The build writes every file. An older file belongs to a removed source. The explorer and the console are built only when they changed.
  find dist -type f ! -path 'dist/explorer/*' ! -path 'dist/console/*' ! -newer dist/.begun -exec rm -f {} +
  printf '%s\n' "$sources" > dist/.built
}

# Runs the tests: run_tests REPORT FOLDER BINARIES [TEST...] writes vitest's JSON report to REPORT, and runs in FOLDER
# with the node of the folder BINARIES. The tests get their own folder for temporary files, and a mark in their
# environment: find_leftovers finds their files and processes by both. The tests do not get the settings of a deployment
# on this machine.
run_tests() {
  run_report="$1"
  run_in="$2"
  run_path="$3:$PATH"
  shift 3
  run_folder="$(mktemp -d "${TMPDIR:-/tmp}/riskgraph-run.XXXXXX")"
  run_mark="$(node -p 'crypto.randomUUID()')"
  (
    cd "$run_in"
    # npm and the compiler may keep a cache of Node.js (22 and newer) in the temporary folder, where it would be a leftover.
    env -u MONGO_URI -u REDIS_URL -u SECRET_KEY -u NODE_ENV -u PORT TMPDIR="$run_folder" NODE_DISABLE_COMPILE_CACHE=1 \
      RISKGRAPH_TEST_RUN="$run_mark" PATH="$run_path" \
      npm run --silent test -- --reporter=./scripts/progress-reporter.ts --reporter=json --outputFile.json="$run_report" "$@"
  )
}

# Names, ends and removes what the last run_tests left behind. Fails when there was something.
find_leftovers() { node scripts/leftovers.mjs "$run_mark" "$run_folder" "$$"; }
