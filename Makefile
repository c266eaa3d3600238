# Tools, pinned.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1

# Where the reference vectors for `make golden` lie; empty means the ones that ship with the source.
DIR :=

.PHONY: build test check gen golden bench bench-peers docs

build:
	CGO_ENABLED=0 go build -trimpath -o bin/ganglion ./cmd/ganglion

test:
	go test ./...

check:
	.ci/run

gen:
	for d in $$(find . -path '*/_gen/go.mod' | sort | xargs -n 1 dirname); do (cd $$d && go run .) || exit 1; done
	go run ./internal/gen

golden:
	go test ./internal/golden -v $(if $(DIR),-dir $(abspath $(DIR)))

bench: build
	bin/ganglion bench

bench-peers: build
	bench/peers/run

docs:
	go run ./internal/gen
