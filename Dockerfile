# syntax=docker/dockerfile:1
# Builds the image of both processes: `api` (default) and `worker`. scripts/try-image.mjs runs these steps without Docker.

# The version of the release, which the tag of the image names too.
ARG RISKGRAPH_VERSION=0.1.0

# https://github.com/docker-library/repo-info/blob/3179cb4d576b/repos/node/remote/24.21.0-bookworm-slim.md
FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# Compiles the sources, with all packages that the build needs.
FROM base AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.client.json ./
COPY scripts/link-bin.mjs scripts/build-server.mjs scripts/built-pages.mjs scripts/build-explorer.mjs scripts/build-console.mjs scripts/
COPY src src
COPY schema schema
COPY models models
COPY workers workers
COPY web web
RUN npm run build

# Installs only the packages that run, and only their parts that this image needs.
FROM base AS dependencies
COPY scripts/trim-packages.sh scripts/
COPY --from=build /app/dist/bundle/packages.txt scripts/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && sh scripts/trim-packages.sh

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS runtime
ARG RISKGRAPH_VERSION
LABEL org.opencontainers.image.title="RiskGraph" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${RISKGRAPH_VERSION}"
WORKDIR /app
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1 HOST=0.0.0.0 PORT=4000
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE NOTICE ./
COPY risk-models risk-models
COPY ops/healthcheck.mjs ops/
# The files belong to root: the process can read them but not change them.
# Kubernetes knows from a number that the user is not root.
USER 1000:1000
EXPOSE 4000 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "ops/healthcheck.mjs", "api"]
ENTRYPOINT ["node", "--enable-source-maps", "dist/src/cli.js"]
CMD ["api"]
