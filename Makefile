# Tools, pinned.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1

# Where the reference vectors for `make golden` lie; empty means the ones that ship with the source.
DIR :=

.PHONY: build test check gen golden bench docs

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

bench:
	go test -run '^$$' -bench . ./internal/... ./kernels/... ./engine/...

docs:
	go run ./internal/gen
