# syntax=docker/dockerfile:1

# The sidecar's image: Node and the bundle, nothing else. No package manager, no packages, no root.
#
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" -t tenure:0.1.0 .
#
# RUNTIME_IMAGE may be any image with Node 24 on its PATH or in /nodejs/bin, where distroless images keep it; it needs
# no shell. BUILD_IMAGE needs Node 24 with npm. For a release, pin both by digest.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=node:24-bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# The packages first: this layer stays until the lock file changes.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build
# What it was made from: every package that runs in production, at its version.
RUN npm sbom --sbom-format=cyclonedx --omit=dev --package-lock-only > dist/sbom.cdx.json

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tenure" \
      org.opencontainers.image.description="A sidecar that elects one fenced lease holder among the replicas of an application" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production PATH=/nodejs/bin:$PATH
WORKDIR /app
# Owned by root and not writable by the user below: the process cannot change its own code.
COPY --from=build /src/dist ./dist
# By number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
# Peers; the lock API (on loopback, so of use inside the pod only); metrics and probes.
EXPOSE 7400 4040 9464
# For plain container engines; Kubernetes uses its own probes. Follows TENURE_OPS_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://localhost:${process.env.TENURE_OPS_PORT||9464}/healthz`).then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
