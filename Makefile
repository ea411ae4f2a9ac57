# The ways in: `make run` and `make test` need Go and make; see `make help`.

RIG      ?=
FIRMWARE ?=
POLICY   ?= gate.yaml
VERSION  ?=
RUNFLAGS ?=
GATEFLAGS ?=
SELFTESTFLAGS ?=
BENCHFLAGS ?=
export RIG FIRMWARE POLICY VERSION RUNFLAGS GATEFLAGS SELFTESTFLAGS

# A version from git where git answers; a source archive, or a checkout that
# belongs to somebody else, still builds.
VCS   := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo auto || echo false)
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=$(VCS)

# Where Debian keeps mosquitto and ser2net; an ordinary user's PATH lacks it.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

# One static binary for each; on Windows ports are COMn.
PLATFORMS := linux/amd64 linux/arm64 linux/arm windows/amd64

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build run test lint regression gate nightly bench azure-live dist clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

build: ## Build ./hilrig
	$(BUILD) -o hilrig .

run: build ## The main job on an emulated device, its core specs; ends with the path of report.html
	./hilrig run $(or $(RUNFLAGS),--label-filter core)

test: ## Build and pass all tests, on real peers too (installs them when it may)
	bash scripts/peers.sh
	bash scripts/test.sh ./...

lint: ## gofmt, go vet (also for windows and 32 bits), staticcheck, unchecked errors, dead code, complexity, spelling
	bash scripts/lint.sh

# make ends with 2 whatever the verb's exit code; scripts that need that code
# call scripts/journey.sh, or ./hilrig itself.
regression: build ## Every device of RIG=rig.yaml, every default spec
	@bash scripts/journey.sh regression

gate: build ## Flash FIRMWARE=fw.bin onto RIG=rig.yaml, run, and judge it by POLICY=gate.yaml
	@bash scripts/journey.sh gate

nightly: build ## Everything on RIG=rig.yaml, soak too; a page says what changed since last night
	@bash scripts/journey.sh nightly

bench: build ## Measure; print a table
	bash scripts/bench.sh $(BENCHFLAGS)

azure-live: build ## Try a real IoT Hub with an emulated device, in at most 400 messages (docs/azure.md)
	@bash scripts/azure-live.sh

BINARIES := $(PLATFORMS:%=dist/%)
dist: $(BINARIES) ## Static binaries for every platform, in dist/

# The sources are go build's to judge: it is always asked.
.PHONY: $(BINARIES)
$(BINARIES): dist/%:
	GOOS=$(*D) GOARCH=$(*F) $(BUILD) -ldflags='-s -w' \
		-o dist/hilrig-$(*D)-$(*F)$(if $(filter windows,$(*D)),.exe) .

clean: ## Remove what was built (never a run)
	rm -rf hilrig hilrig.exe dist
