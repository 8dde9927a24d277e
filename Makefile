# What is done every day, and what a release has to show. CI runs .ci/run, which
# does the same. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO    ?= go
TOOLS := $(GO) tool -modfile=tools/go.mod
DIST  := deploy/dist

# How long each fuzz target runs, and how often each benchmark.
FUZZTIME   ?= 10m
BENCHCOUNT ?= 6

# $(call named,PATTERN): runs the tests whose names match, with everything they
# need, and fails when there is no such test: a target that looked at nothing
# must not be green. What cannot run here fails, it is not skipped.
# Further flags and settings stand in FLAGS and in the environment.
named = @found=$$(grep -rHoE --include='*_test.go' --exclude-dir=tools '^func Test[A-Za-z0-9_]*' . | sed 's/func //' | awk -F: '$$2 ~ /$(1)/'); \
	if [ -z "$$found" ]; then echo "make $@: NOT RUN: no test has a name like $(1)" >&2; exit 1; fi; \
	names=$$(cut -d: -f2 <<<"$$found" | sort -u | paste -sd'|'); \
	TRYGG_TEST_ALL=1 $(GO) test -count=1 $(FLAGS) -run "^($$names)\$$" $$(cut -d: -f1 <<<"$$found" | xargs -n1 dirname | sort -u)

## Every day

.PHONY: run
run: ## start it here, with everything in one file
	$(GO) run ./cmd/trygg serve

.PHONY: test
test: ## all tests, with the race detector
	$(GO) test -race ./...

.PHONY: check content-check
check content-check: ## conversations, texts and numbers
	$(GO) run ./cmd/trygg check

.PHONY: lint
lint: ## formatting, vet, staticcheck, the Dockerfile
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOLS) staticcheck ./...
	$(GO) -C tools vet ./...
	$(GO) -C tools test ./...

.PHONY: bench
bench: ## all benchmarks; compare two runs with: make benchstat OLD=a NEW=b
	@$(GO) test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) ./...

.PHONY: benchstat
benchstat:
	@$(TOOLS) benchstat $(OLD) $(NEW)

.PHONY: image
image: ## build the image with docker or podman
	@engine=$$(command -v docker || command -v podman) || { echo "neither docker nor podman is here; make image-check needs neither"; exit 1; }; \
	"$$engine" build --build-arg VERSION="$$(git describe --tags --always --dirty)" --tag localhost/trygg:latest .

.PHONY: image-check
image-check: ## build the image without an engine, run it, look into it
	@deploy/image-check.sh

## What a release shows (safety.md 5)

.PHONY: faults
faults: ## every fault case, three times
	$(call named,^TestF[0-9]|_F[0-9])
faults: FLAGS = -count=3 -timeout=60m

.PHONY: help-chaos
help-chaos: ## help with the store stopped, hung, full, read-only
	$(call named,HelpChaos)

.PHONY: exactly-once
exactly-once: ## 100,000 updates, two replicas, kills: none lost, none twice
	$(call named,ExactlyOnce)
exactly-once: export TRYGG_UPDATES ?= 100000
exactly-once: FLAGS = -timeout=120m

.PHONY: load
load: ## 200 presses a second, ten minutes
	$(call named,SteadyLoad)
load: export TRYGG_LOAD ?= 10m
load: FLAGS = -timeout=60m -v

.PHONY: recovery
recovery: ## back in five seconds after the store, in three from the start
	$(call named,Recovery)

.PHONY: leak-check
leak-check: ## planted words are found nowhere but in the chat
	$(call named,LeakCheck|F80_)

.PHONY: exit hide traces
exit: ## leaving the web chat
	$(call named,F102_|Browser_exit|Browser_comingBack|Browser_shift)
hide: ## taking messages off the phone
	$(call named,F103_)
traces: ## nothing shows that somebody was here
	$(call named,F104_|S2[1-9]_|S3[0-3]_)

.PHONY: erase
erase: ## everything gone within two seconds
	$(call named,F87_)

.PHONY: crawl
crawl: ## help is one press away from everywhere
	$(call named,Crawl)

.PHONY: mutants-content
mutants-content: ## every edge, text and number of the content removed in turn; writes docs/mutants.md
	TRYGG_MUTANTS=all $(GO) test ./cmd/trygg -run '^TestMutants$$' -count=1 -timeout=180m -v

.PHONY: a11y
a11y: ## everyone can use it, in Chromium
	$(call named,A11y|Browser_axe|Browser_fits|Browser_keyboard|Browser_worksWithout)

.PHONY: crisis-eval crisis-writers crisis-behaviour
crisis-eval: FLAGS += -v
crisis-eval: ## how typed words are understood: rates per level and language, a dictionary
	$(call named,CrisisEval)
crisis-writers: FLAGS += -v -tags writers
crisis-writers: ## how the words of writers are understood from whom nothing was learned; minutes
	$(call named,CrisisWriters)
crisis-behaviour: ## what follows on typed words, in every flow, split, with the store away
	$(call named,F101_|F36_|F46_|S14_|TestRead_|CrisisBehaviour|DangerStandsBeforeAnyChat)

.PHONY: routines-eval
routines-eval: FLAGS += -v
routines-eval: export TRYGG_FOLDS ?= 5
routines-eval: ## how professionals' questions are answered: rates on questions never seen, and with examples left out
	@TRYGG_TEST_ALL=1 $(GO) test -count=1 $(FLAGS) -run '^TestEvaluation' ./flows/routine/search

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@targets=$$(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/func //'); \
	if [ -z "$$targets" ]; then echo "make fuzz: NOT RUN: there are no fuzz targets" >&2; exit 1; fi; \
	while IFS=: read -r file name; do \
		echo "fuzz $$name in $$(dirname "$$file")"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	done <<<"$$targets"

.PHONY: supply
supply: ## what it is made of, built twice to the same bytes, known holes
	@GO="$(GO)" DIST="$(DIST)" tools/supply.sh

.PHONY: release
release: ## what can be shown by one command here; docs/operators.md has the rest
	@if [ -n "$$(git status --porcelain)" ]; then echo "make release: there are changes that are not committed" >&2; exit 1; fi
	$(MAKE) lint check test faults help-chaos leak-check exit traces erase a11y crawl recovery
	TRYGG_TEST_ALL=1 $(MAKE) image-check
	RELEASE=1 $(MAKE) supply

.PHONY: clean
clean: ## what was built; never trygg-data, which holds chats
	rm -rf $(DIST) trygg *.test *.out

.PHONY: help
help:
	@awk -F':.*## ' '/^## / {print "\n" substr($$0, 4)} /^[a-z0-9 -]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' Makefile
