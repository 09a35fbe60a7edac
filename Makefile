# `make` prints what there is to do. Everything needs Go and a shell only;
# what a target needs beyond that stands in its line.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# A static binary that is the same on every machine, C compiler or not.
export CGO_ENABLED ?= 0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO      ?= go
GOBUILD  = $(GO) build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)'

TESTFLAGS    ?=
RACEFLAGS    ?=
FUZZTIME     ?= 30s
DEMO_DIR     ?= demo
DEMO_RECORDS ?= 50000
DEMO_LISTEN  ?= 127.0.0.1:8080
DEMO_SERVE   ?=

# Tests on real feeds read them from this folder.
ifneq ($(CATALOG_TEST_DATA),)
export CATALOG_TEST_DATA := $(abspath $(CATALOG_TEST_DATA))
endif

# Packages in which goroutines meet: the race detector's. It makes them ten times
# as slow, so the long rows of crashes and faults, of damaged and of large feeds,
# each of one goroutine after the other, are for `test`.
RACE ?= ./importer ./importer/export ./importer/importhttp ./importer/internal/feed ./importer/internal/feedcache ./importer/internal/manifest ./catalog/memstore/... ./catalog/copystore ./catalog/pebblestore/... ./catalog/storefront ./catalog/storefront/purge ./indexer ./indexer/facetindex/... ./placeholder ./placeholder/gateway

# golangci-lint is built by Go from source into Go's own cache (two minutes,
# once); go vet, with all of its checks, staticcheck and the formatters are in it.
LINT_VERSION := v2.15.0
LINT         := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/catalog
	$(GOBUILD) -o bin/catalog ./cmd/catalog

.PHONY: demo
demo: build ## generate 50,000 products, import, search and, with DEMO_SERVE=1, serve them (DEMO_RECORDS, DEMO_DIR, DEMO_LISTEN)
	@set -e; \
	run() { printf '\n$$ %s\n' "$$*"; "$$@"; }; \
	mkdir -p '$(DEMO_DIR)'; rm -rf '$(DEMO_DIR)/store' '$(DEMO_DIR)/store.index' '$(DEMO_DIR)/products.jsonl'; \
	run bin/catalog generate --records '$(DEMO_RECORDS)' --seed 1 --format jsonl -o '$(DEMO_DIR)/products.jsonl'; \
	run bin/catalog import --store 'pebble:$(DEMO_DIR)/store' '$(DEMO_DIR)/products.jsonl'; \
	sku=$$(awk 'match($$0, /"sku": ?"[^"]*"/) {s = substr($$0, RSTART, RLENGTH); sub(/"sku": ?"/, "", s); sub(/"$$/, "", s); print s; exit}' '$(DEMO_DIR)/products.jsonl'); \
	run bin/catalog get --store 'pebble:$(DEMO_DIR)/store' "$$sku"; \
	run bin/catalog search --store 'pebble:$(DEMO_DIR)/store' 'table lamp' --filter price=..50 --size 5; \
	printf '\nThe store is in %s. Look further with\n' '$(DEMO_DIR)/store'; \
	printf '  %s\n' \
		"bin/catalog stats --store pebble:$(DEMO_DIR)/store" \
		"bin/catalog browse --store pebble:$(DEMO_DIR)/store" \
		"bin/catalog imports --store pebble:$(DEMO_DIR)/store" \
		"bin/catalog export --store pebble:$(DEMO_DIR)/store -o $(DEMO_DIR)/export.jsonl" \
		"bin/catalog inspect $(DEMO_DIR)/products.jsonl" \
		"bin/catalog import --store pebble:$(DEMO_DIR)/store $(DEMO_DIR)/products.jsonl   (again: all unchanged)" \
		"bin/catalog help"; \
	address='$(DEMO_LISTEN)'; \
	serve="bin/catalog serve --store pebble:$(DEMO_DIR)/store --listen $$address"; \
	case $$address in :*) address=localhost$$address;; esac; \
	if [ -n '$(DEMO_SERVE)' ]; then \
		printf '\nThe shop window is at http://%s/ until Ctrl-C; in another terminal all of the above goes on working.\n' "$$address"; \
		exec $$serve; \
	fi; \
	printf '\nLook at it in a browser: http://%s/ after\n  %s\nor make demo DEMO_SERVE=1\n' "$$address" "$$serve"

.PHONY: servers
servers: ## install what tests need to start MariaDB, Elasticsearch, MongoDB and more, where it is missing
	@.ci/servers

.PHONY: test
test: servers ## run all tests; CATALOG_TEST_DATA=DIR adds those on real feeds, CATALOG_TEST_SKIP=mongodb,varnish leaves servers out
	GO='$(GO)' $(GO) run ./fixtures/gotest -timeout 15m $(TESTFLAGS) ./...

.PHONY: race
race: ## run the concurrent packages' tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race $(RACEFLAGS) -short -skip '^(TestHostile|TestEveryWriteFails|TestCrash|TestReal.*|TestStoreInMemory|TestStoreOnDisk|TestCompact|TestLimit|TestManyKeysInParts|TestParquetDamaged|TestParquetWide|TestWritersRoundTrip|TestFlippedBits)$$' -timeout 15m $(RACE)

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZTIME (30s)
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' .ci/fuzz

.PHONY: cover
cover: ## measure the tests' coverage, into cover.out
	$(GO) test -timeout 15m -coverpkg=./... -coverprofile=cover.out ./...
	@$(GO) tool cover -func=cover.out | tail -n 1

.PHONY: bench
bench: build ## measure an import of 2,000,000 records (BENCH_RECORDS, BENCH_DIR, BENCH_RUN=regexp)
	$(GO) run ./fixtures/bench -bin bin/catalog

.PHONY: bench-peers
bench-peers: build ## the same file into PostgreSQL and MariaDB, beside ours (needs them, or root and apt-get)
	$(GO) run ./fixtures/bench/peers -bin bin/catalog

.PHONY: bench-search
bench-search: build ## search and category pages at 200,000 and 2,000,000 products, beside Elasticsearch (BENCH_DIR)
	$(GO) run ./fixtures/bench/search -bin bin/catalog

.PHONY: bench-serve
bench-serve: build ## load `catalog serve` with requests: products, prices, pages, during an import (BENCH_DIR)
	$(GO) run ./fixtures/bench/serve -bin bin/catalog

.PHONY: bench-placeholder
bench-placeholder: ## placeholders on a real MariaDB with the true Magento schema (-run, see -help)
	$(GO) run ./fixtures/bench/placeholder

.PHONY: bench-mongo
bench-mongo: ## the store in MongoDB beside the bare driver: import, unchanged, by key (-records, see -help)
	$(GO) run ./fixtures/bench/mongo

.PHONY: lint
lint: ## check the code: golangci-lint, as .golangci.yml says
	$(LINT) config verify
	$(LINT) run ./...

.PHONY: lint-tool
lint-tool: ## build what lint runs
	$(LINT) version

.PHONY: fmt
fmt: ## format the code
	$(LINT) fmt

.PHONY: tidy-check
tidy-check: ## check that go.mod and go.sum are as `go mod tidy` leaves them
	$(GO) mod tidy -diff
	$(GO) mod verify

.PHONY: clean
clean: ## remove what make made
	rm -rf bin '$(DEMO_DIR)' cover.out bench-*.json
