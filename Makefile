# Tools, pinned.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1

# Where the reference vectors for `make golden` lie; empty means the ones that ship with the source.
DIR :=

.PHONY: build test check gen golden bench bench-peers docs cuda-headers ptx emu gpu gpu-test gpu-acceptance

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

# CUDA. The wheels hold the compiler, the headers and the assembler; nothing of them goes into a binary.
CUDA_WHEELS := nvidia-cuda-nvrtc-cu12==12.0.140 nvidia-cuda-runtime-cu12==12.0.146 nvidia-cuda-nvcc-cu12==12.9.86
GPU = CGO_ENABLED=1 CGO_CFLAGS="-g -O2 -I$(CURDIR)/cuda/compat -I$(CURDIR)/.cuda/include"

# cuda-headers installs them into .cuda, and links the headers to .cuda/include, so that cgo's flags never change.
cuda-headers: .cuda/include

.cuda/include:
	python3 -m venv .cuda/venv
	.cuda/venv/bin/pip install --quiet $(CUDA_WHEELS)
	ln -sfn "$$(cd .cuda && ls -d venv/lib/python3*/site-packages/nvidia/cuda_runtime/include | head -n 1)" .cuda/include

# ptx compiles the kernels' sources that have changed and has all assembled.
ptx: cuda-headers
	go run -tags gpu ./cuda/ptxtool

# emu builds the emulated driver that the tests run on: bin/libcuemu.so.
emu:
	$(MAKE) -C cuda/emu

# gpu builds the program with CUDA; it needs neither driver nor device to build or to start.
gpu: cuda-headers
	$(GPU) go build -tags gpu -trimpath -o bin/ganglion-gpu ./cmd/ganglion

# gpu-test runs the tests that need the tag, on the emulated driver.
gpu-test: cuda-headers emu
	$(GPU) GANGLION_LIBCUDA=$(CURDIR)/bin/libcuemu.so GANGLION_REQUIRE_EMU=1 go test -tags gpu ./cuda/... ./kernels/... \
		./engine

# gpu-acceptance runs operators, training and benchmarks on this machine's GPU and writes bin/gpu-acceptance.txt
# (cuda/acceptance --emulated tries the script on the emulated device).
gpu-acceptance: gpu
	cuda/acceptance bin/gpu-acceptance.txt
