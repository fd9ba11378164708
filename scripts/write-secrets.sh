#!/bin/sh
# Writes the secrets of docker-compose.yml as files: random passwords and keys, and the addresses that hold passwords. A
# file that is there stays as it is. It needs openssl.
#
#   scripts/write-secrets.sh [FOLDER]     the default is ops/secrets
#
# Only the owner of the folder can look into it, so no other user of this host reaches the files. Docker mounts single
# files out of it, with their modes: each is readable, because MongoDB, Redis and RiskGraph run as users of their own.
set -eu
umask 077
command -v openssl >/dev/null 2>&1 || {
  printf 'error: openssl is not on the PATH: install it, then run this again\n' >&2
  exit 1
}
folder="${1:-$(dirname "$0")/../ops/secrets}"
mkdir -p "$folder"
chmod 700 "$folder"

# Writes a secret that is not there yet. It appears whole, also when two runs race.
write() {
  [ ! -e "$folder/$1" ] || return 0
  [ -n "$2" ] || {
    printf 'error: no value for %s\n' "$1" >&2
    exit 1
  }
  draft="$folder/.$1.$$"
  printf '%s\n' "$2" > "$draft"
  chmod 444 "$draft"
  ln "$draft" "$folder/$1" 2>/dev/null || [ -e "$folder/$1" ]
  rm -f "$draft"
  printf 'wrote %s\n' "$folder/$1"
}

# Passwords have only letters and digits, because they become parts of addresses.
random() { openssl rand -hex 32; }

for name in mongo_root_password mongo_password mongo_replica_key redis_password; do write "$name" "$(random)"; done
key="$(openssl rand -base64 48)"
write secret_key "$(printf '%s' "$key" | tr -d '\n')"
key="$(random)"
write encryption_keys "$(date +%Y)-1:$key"
write mongo_uri "mongodb://riskgraph:$(cat "$folder/mongo_password")@mongodb:27017/riskgraph?replicaSet=rs0&authSource=riskgraph"
write redis_url "redis://:$(cat "$folder/redis_password")@redis:6379"
