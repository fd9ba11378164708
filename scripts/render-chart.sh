#!/bin/sh
# Renders the Helm chart: with its own values into ops/kubernetes/riskgraph.yaml, for clusters without Helm, and with
# everything switched on into a fixture of the tests. Run it after each change of the chart: a test compares the checksum
# of the chart with the one in both files. values.schema.json is not in it: it refuses values, and renders nothing. It needs helm (https://helm.sh), version 3 or 4.
set -eu
cd "$(dirname "$0")/.."
command -v helm >/dev/null 2>&1 || {
  printf 'error: helm is not on the PATH: install it (https://helm.sh/docs/intro/install), then run this again\n' >&2
  exit 1
}
fixtures=test/deployment/fixtures/kubernetes

helm lint --quiet --strict ops/helm/riskgraph
checksum="$(find ops/helm/riskgraph "$fixtures/everything.values.yaml" -type f ! -name values.schema.json | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)"
render() {
  target="$1"
  shift
  {
    printf '# Rendered by scripts/render-chart.sh. Do not edit. Checksum of the chart: %s\n' "$checksum"
    helm template riskgraph ops/helm/riskgraph "$@"
  } > "$target.new"
  mv "$target.new" "$target"
}
render ops/kubernetes/riskgraph.yaml
render "$fixtures/everything.yaml" --values "$fixtures/everything.values.yaml"
