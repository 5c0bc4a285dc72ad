# SPDX-License-Identifier: Apache-2.0
# Everything that people and CI do with the code; `make` lists it.

SWIFT ?= swift
BINARY := .build/release/perigee
SWIFT_FILES := Sources Tests Benchmarks/TurnCost Package.swift
# Handed on to the command: make run ARGS="--port 9000"
ARGS ?=
# How long make fuzz runs, all harnesses together: make fuzz SECONDS=600
SECONDS ?= 60
# How often make crash kills the server, how many histories make simulate runs, and how many cases make conformance
# makes up for each operation: make crash N=1000
N ?= 200
export SWIFT
# A test that computes holds one of the few threads that the others need to meet their time limits: such rooms have
# a pass of their own, one test at a time; with them those of slow clients, for which only a connection's own clock
# counts. Each pass skips what the other runs; ARGS narrows both.
COMPUTING := ((LanguageServer|LuaHost|Lint|Threads)Tests|CLITests[.]EscapeTests|ServerTests[.]SlowClientTests)
.DEFAULT_GOAL := help
.PHONY: help setup build run test lint format bench bench-guard bench-runs bench-growth bench-commits sanitize sanitize-address sanitize-thread fuzz crash simulate conformance docs clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## check the Swift toolchain and install missing system packages
	@scripts/setup.sh

build: setup ## build the release binary, .build/release/perigee
	@$(SWIFT) build -c release --product perigee --static-swift-stdlib

run: build ## start the server on 127.0.0.1:8080 with the scripts of this folder
	@exec $(BINARY) serve $(ARGS)

test: setup ## build everything and run every test
	@scripts/setup.sh python
	@scripts/setup.sh lua
	@scripts/setup.sh browser
	@$(SWIFT) build --build-tests
	@scripts/test.sh '$(COMPUTING)' $(ARGS)

lint: ## check formatting, house rules and the shipped Lua; builds nothing
	@scripts/setup.sh toolchain
	@scripts/setup.sh lua
	@$(SWIFT) format lint --strict --recursive --parallel --configuration .swift-format $(SWIFT_FILES)
	@scripts/tidy.sh
	@scripts/lint_lua.sh

format: ## rewrite the Swift files in the project's format
	@scripts/setup.sh toolchain
	@$(SWIFT) format --in-place --recursive --parallel --configuration .swift-format $(SWIFT_FILES)

bench: build ## measure the server against a local provider, and the linter, about 4 minutes
	@$(SWIFT) build -c release --product turncost --static-swift-stdlib
	@Benchmarks/lint
	@Benchmarks/bench $(ARGS)

bench-guard: build ## count instructions and allocations of a turn, and fail when they have grown; ARGS=--write
	@scripts/setup.sh valgrind
	@Benchmarks/bench-guard $(ARGS)

bench-runs: build ## measure durable calls, sleeping runs and workflows; ARGS="--peer PYTHON" beside LangGraph
	@Benchmarks/bench-runs $(ARGS)

bench-growth: build ## measure a turn as messages, sessions, agents and history grow, about 7 minutes
	@Benchmarks/bench-growth $(ARGS)

bench-commits: build ## measure 1 to 1,000 writers on a disk: turns, fdatasync calls, writes in a commit, 4 minutes
	@Benchmarks/bench-commits $(ARGS)

sanitize: sanitize-address sanitize-thread ## run every test under the address, undefined behaviour and thread sanitizers

# One test at a time: what is slow under a sanitizer would use up the time limits of what runs beside it.
sanitize-address: setup
	@PERIGEE_TRAP_UNDEFINED=1 $(SWIFT) build --build-tests --sanitize=address --scratch-path .build-asan
	@ASAN_OPTIONS=detect_leaks=0 PERIGEE_TRAP_UNDEFINED=1 \
		$(SWIFT) test --skip-build --no-parallel --sanitize=address --scratch-path .build-asan $(ARGS)

# What is found is in files, whatever became of the process that found it. Swift's own backtraces of a crash would
# crash the sanitizer.
sanitize-thread: setup
	@$(SWIFT) build --build-tests --sanitize=thread --scratch-path .build-tsan
	@rm -f .build-tsan/race.*
	@SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=log_path=$(CURDIR)/.build-tsan/race \
		$(SWIFT) test --skip-build --no-parallel --sanitize=thread --scratch-path .build-tsan $(ARGS); \
		status=$$?; ! cat .build-tsan/race.* 2>/dev/null && exit $$status

fuzz: ## feed the C part of the Lua host hostile inputs for SECONDS, 60 unless told
	@scripts/setup.sh fuzz
	@Fuzz/fuzz --seconds $(SECONDS) $(ARGS)

crash: build ## kill the server under load N times, 200 unless told, and look for what was lost or done twice
	@Tests/Crash/crash --kills $(N) $(ARGS)

SEED ?= 1
simulate: setup ## run N histories by their seeds, on a disk that fails and in processes that end anywhere
	@$(SWIFT) build --product simulation
	@.build/debug/simulation --seed $(SEED) --count $(N)

# BINARY= is another binary than the debug build's.
conformance: N = 30
conformance: BINARY = .build/debug/perigee
conformance: setup ## hold the server against its /openapi.json, with N made-up cases for each operation
	@scripts/setup.sh conformance
	@test -n "$(filter command,$(origin BINARY))" || $(SWIFT) build --product perigee
	@.build/conformance/bin/python Tests/Conformance/conformance --binary $(BINARY) --cases $(N) --seed $(SEED) $(ARGS)

docs: build ## write types/, .luarc.json, .luacheckrc and the reference in docs/ anew
	@$(BINARY) types --docs docs

clean: ## remove everything that was built
	@rm -rf .build .build-asan .build-tsan
