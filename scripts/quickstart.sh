#!/bin/sh
# Starts RiskGraph from a fresh clone. It installs missing packages, writes .env, builds, starts everything and runs the
# main job once. With --once it then stops everything and exits 0. A second run takes seconds and keeps the data.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage() {
  printf 'usage: scripts/quickstart.sh [--once]\n\n  --once   run the demonstration, then stop everything\n'
}

once=''
for argument in "$@"; do
  case "$argument" in
    --once) once='--once' ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown argument $argument" ;;
  esac
done

# Writes the key that signs the access tokens and wraps the patients' encryption keys. Without it .data/ cannot be read.
write_secret_key() {
  if [ -e .env ] && grep -q '^SECRET_KEY=.' .env; then return 0; fi
  say 'Writing .env with a fresh random SECRET_KEY (keep it with .data/: the patients are encrypted with it)'
  (
    umask 077
    draft=".env.$$"
    if [ -e .env ]; then grep -v '^SECRET_KEY=' .env > "$draft" || true; fi
    node -e 'console.log("SECRET_KEY=" + require("node:crypto").randomBytes(48).toString("base64url"))' >> "$draft"
    mv "$draft" .env
  )
}

check_node
install_packages
install_redis
write_secret_key
build
# shellcheck disable=SC2086 # empty when not given
exec node --env-file=.env dist/src/cli.js up --demo $once
