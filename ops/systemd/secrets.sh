#!/bin/sh
# Prints what the systemd units need of an .env whose secrets are in files under /etc/riskgraph/secrets:
#   secrets.sh worker /etc/riskgraph/.env      the drop-in of the worker: all its secrets as credentials of systemd
#   secrets.sh api /etc/riskgraph/.env         the drop-in of the API, without the secrets of backups
#   secrets.sh settings /etc/riskgraph/.env    the settings without these lines, for riskgraph.env
# A credential is a file that only the unit's own user can read, and that is never on a disk again. The files themselves
# belong to root alone (mode 0400). It needs systemd 252 or newer.
set -eu
part=$1
settings=$2
line='^([A-Z0-9_]+_FILE)="?(/etc/riskgraph/secrets/[^"[:space:]]+)"?[[:space:]]*$'
case $part in
  settings) exec sed -E "\\#$line#d" "$settings" ;;
  api) skip='/^BACKUP_/d' ;;
  worker) skip='' ;;
  *) echo "secrets.sh: name worker, api or settings first" >&2; exit 2 ;;
esac
echo '[Service]'
sed -nE -e "$skip" -e "s#$line#LoadCredential=\\L\\1\\E:\\2\\nEnvironment=\\1=%d/\\L\\1#p" "$settings"
