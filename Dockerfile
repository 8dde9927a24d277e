# The image of trygg: one static program, certificates, two empty folders.
# No shell, no package manager, no user with a name: what is not there cannot
# be used against a child (S63).
#
# The base is named in full and by version, not by digest: a digest can only be
# looked up at the registry it comes from. Whoever builds for real adds it here
# (golang:1.26@sha256:...) so that the same base is used every time.

FROM docker.io/library/golang:1.26 AS build
WORKDIR /src

# The toolchain of the base and no other; nothing of C, so that the program
# runs where no library is.
ENV CGO_ENABLED=0 GOTOOLCHAIN=local

# Libraries first: this layer is kept as long as they stay the same. What
# arrives is compared with go.sum.
COPY go.mod go.sum ./
RUN go mod download

COPY . .

# -trimpath, no build id and no version control stamp: the same source gives
# the same bytes on every machine (S63). VERSION is what `trygg version` says.
ARG VERSION=dev
RUN go build -trimpath -buildvcs=false -mod=readonly \
      -ldflags="-s -w -buildid= -X main.release=${VERSION}" \
      -o /out/trygg ./cmd/trygg \
 && mkdir -p /out/data /out/card


FROM scratch

LABEL org.opencontainers.image.title="trygg" \
      org.opencontainers.image.description="A messaging bot that helps children exposed to violence" \
      org.opencontainers.image.licenses="Apache-2.0"

# To trust the servers it calls (Redis over TLS, the messenger).
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE

# The two places that may be written; all else can be mounted read-only.
# /data holds the embedded file and the local socket, /card the exported help
# card for the proxy. A new volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/card /card
COPY --from=build /out/trygg /trygg

# It listens on loopback until whoever runs it says otherwise, together with the
# keys that needs: TRYGG_ADDR=:8080 and TRYGG_KEYS_FILE (S64; compose.yaml does).
ENV TRYGG_DATA_DIR=/data

# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM

# Answers 0 also while only the store is away: the help card still works, and
# a restart would not bring the store back (S3).
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/trygg", "health"]

ENTRYPOINT ["/trygg"]
CMD ["serve"]
