# docker build -t ganglion .
# docker run --rm -v ganglion-runs:/runs ganglion                       trains the default model, results in /runs
# docker run --rm -v ganglion-runs:/runs ganglion models                lists the models

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/bin/ganglion ./cmd/ganglion \
 && mkdir /out/runs

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/bin/ganglion /usr/local/bin/ganglion
COPY --from=build --chown=65532:65532 /out/runs /runs
USER 65532:65532
# Runs are written to the folder runs of the working directory: /runs.
WORKDIR /
VOLUME /runs
HEALTHCHECK --interval=60s --timeout=20s --start-period=5s --retries=3 CMD ["/usr/local/bin/ganglion", "doctor"]
ENTRYPOINT ["/usr/local/bin/ganglion"]
CMD ["train"]
