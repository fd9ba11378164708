#!/bin/sh
# Starts nginx in docker-compose.yml with ops/nginx/nginx.conf, changed for containers:
# - The upstreams are the containers of the service `api`, however many there are. Their names are asked for again every
#   five seconds, so a container that was replaced is found.
# - SERVER_NAME takes the place of the example's name.
# - The whole container runs as the user nginx, which may not choose another one, and logs to its output.
#
#   start-in-compose.sh [CONFIGURATION [RESULT]]     with a second argument it only writes the result
set -eu
from="${1:-/etc/nginx/riskgraph.conf}"
to="${2:-/tmp/nginx.conf}"

sed \
  -e '/^user /d' \
  -e 's|^pid .*|pid /tmp/nginx.pid;|' \
  -e 's|/run/nginx-body|/tmp/nginx-body|' \
  -e 's|/var/log/nginx/error.log|/dev/stderr|' \
  -e 's|/var/log/nginx/access.log|/dev/stdout|' \
  -e 's|^http {|http {\n    resolver 127.0.0.11 valid=5s ipv6=off;|' \
  -e 's|server 127\.0\.0\.1:4000 |server api:4000 resolve |' \
  -e '/server 127\.0\.0\.1:/d' \
  -e "s|riskgraph\.example\.org|${SERVER_NAME:?set SERVER_NAME in .env to the name that callers use}|" \
  "$from" > "$to"
[ $# -ge 2 ] || exec nginx -c "$to" -g 'daemon off;'
