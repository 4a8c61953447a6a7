# The front door. `make run` and `make test` are all that a newcomer needs.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/starlog
export CARGO_TARGET_DIR ?= $(CACHE)/target
# DuckDB's library, got once; where it is not to be had, DuckDB is compiled from source.
DUCKDB_LIB_DIR ?= $(shell .ci/duckdb)
FEATURES := $(if $(DUCKDB_LIB_DIR),,--features bundled)
export DUCKDB_LIB_DIR
STARLOG := $(CARGO_TARGET_DIR)/release/starlog
ORDERS ?= 1000000
ROUNDS ?= 3

.PHONY: help build run test format lint bench nights views clean

help:
	@echo 'make run    build, run pipelines/retail.toml into ./warehouse, answer a first question'
	@echo 'make test   everything that CI runs: format, lints, all tests'
	@echo 'make bench  the benchmark against a hand-written DuckDB script'
	@echo 'make nights what a night costs beside a full build; NIGHTS=--every-day: one for every day'
	@echo 'make views  how much faster a view answers than the facts'
	@echo 'make clean  remove ./warehouse (the cache in $(CACHE) stays)'

build:
	cargo build --release --locked $(FEATURES)

run: build
	$(STARLOG) run pipelines/retail.toml
	$(STARLOG) query -f pipelines/retail_first_question.sql

test: format lint
	cargo test --release --locked $(FEATURES)

format:
	cargo fmt --check

lint:
	cargo clippy --release --locked --all-targets $(FEATURES) -- -D warnings

bench:
	cargo bench --locked $(FEATURES) --bench rival -- --orders $(ORDERS) --rounds $(ROUNDS)

nights:
	cargo bench --locked $(FEATURES) --bench nights -- $(NIGHTS)

views:
	cargo bench --locked $(FEATURES) --bench views

clean:
	chmod -R u+w warehouse 2> /dev/null || true
	rm -rf warehouse
