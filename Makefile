# What a newcomer types. `make` alone lists the targets; each says what it does while it does it, and a second run needs no network.

.DEFAULT_GOAL := help
.PHONY: help setup setup-base setup-all-whisper models build demo run test bench fixtures clean-fetched system-packages test-packages
# The steps of a target build on each other, and cargo is parallel by itself.
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
KIOSKD := target/release/kioskd

# A stamp is named after what it stands for: another Python or other requirements make another name, and the venv is made anew.
fingerprint = $(shell { $(PYTHON) --version; cat $(1); } 2>&1 | cksum | cut -d ' ' -f 1)
SETUP_STAMP := $(VENV)/setup-$(call fingerprint,requirements/setup.txt)
TEST_STAMP := $(VENV)/test-$(call fingerprint,requirements/setup.txt requirements/test.txt)
FETCH := PYTHONDONTWRITEBYTECODE=1 $(VENV)/bin/python models/setup/fetch.py

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: system-packages models ## Install system packages and fetch the models that a kiosk needs (200 MB to download)

models: $(SETUP_STAMP)
	@echo "models: checking, and fetching what is missing"
	@$(FETCH)

setup-base: setup ## Also fetch Whisper base, which understands 99 languages (135 MB to download)
	@$(FETCH) base-short

setup-all-whisper: setup ## Also make the smaller variants of both Whispers (8 and 6 bits a weight)
	@$(FETCH) tiny.en-short-q8_0 tiny.en-short-q5_1 base-short base-short-q8_0 base-short-q5_1 base-f16 base-q8_0 base-q5_1

build: setup ## Compile the optimized program
	@command -v cargo >/dev/null || { echo "build: there is no cargo here; install Rust 1.92 or newer with rustup, then run this again"; exit 1; }
	@echo "build: compiling $(KIOSKD)"
	@cargo build --release --locked
	@echo "build: learning the shop's sentences, so that the first start is as quick as the next"
	@$(KIOSKD) understand < /dev/null

demo: build ## Set up, build, and serve one customer from recordings: no microphone, no camera
	@$(KIOSKD) demo

run: build ## Set up, build, and start the service
	@$(KIOSKD) serve

test: test-packages setup $(TEST_STAMP) ## Set up and run every check; CI runs this and nothing else
	@scripts/test.sh

bench: setup ## Set up and measure; prints the figures that the README quotes
	@RAYON_NUM_THREADS=1 cargo bench --locked

fixtures: setup ## Make the sounds of audio_fixtures anew
	@audio_fixtures/make.sh

# Training of our own weights, in an environment of its own: PyTorch is large, and a kiosk never needs it. See docs/retrain.md.

MODEL ?= tiny.en
AUDIO ?=
SPOKEN ?= en
MINUTES ?= 60
TRAINING_VENV := .venv-training
TRAINING_STAMP := $(TRAINING_VENV)/training-$(call fingerprint,requirements/training.txt)
TRAINING := PYTHONDONTWRITEBYTECODE=1 $(TRAINING_VENV)/bin/python models/training/speech
TRAINED := var/training/$(MODEL)

.PHONY: train-speech training-packages
train-speech: training-packages ## Adapt a Whisper to short windows and your sound: MODEL=base AUDIO=FOLDER SPOKEN=de MINUTES=60
	@[ -d "$(AUDIO)" ] || { echo "train-speech: name a folder of recordings: make train-speech AUDIO=recordings (docs/retrain.md)"; exit 1; }
	@echo "train-speech: asking $(MODEL) in its full window what it hears; at most 640 clips, and a third of $(MINUTES) minutes"
	@$(TRAINING)/cache.py --model $(MODEL) --audio "$(AUDIO)" --language $(SPOKEN) --out $(TRAINED)/cache --minutes $$(($(MINUTES) / 3))
	@echo "train-speech: training; what has been done is kept, so that the same command goes on after a stop"
	@$(TRAINING)/fit.py --model $(MODEL) --cache $(TRAINED)/cache --out $(TRAINED)/adapter.npz --minutes $$(($(MINUTES) * 2 / 3))
	@$(TRAINING)/merge.py --model $(MODEL) --adapter $(TRAINED)/adapter.npz --out $(TRAINED)/ggml-$(MODEL)-adapted.bin

training-packages: $(TRAINING_STAMP) ## Make the environment that trains (3 GB to download)

$(TRAINING_STAMP):
	@echo "python: making $(TRAINING_VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(TRAINING_VENV)
	@$(TRAINING_VENV)/bin/python -m pip install --disable-pip-version-check --only-binary=:all: -r requirements/training.txt
	@touch $@

clean-fetched: ## Remove the models that setup fetched or made
	@rm -rf models/fetched
	@echo "clean-fetched: removed models/fetched"

# Comparisons with other speech engines, in an environment of their own, and sets of spoken clips. See benches/peers and benches/sets.

PEERS_VENV := .venv-peers
PEERS_STAMP := $(PEERS_VENV)/peers-$(call fingerprint,benches/peers/requirements.txt)
PEERS := PYTHONDONTWRITEBYTECODE=1 $(PEERS_VENV)/bin/python benches/peers
SETS_VENV := target/fixtures-venv
SETS := PYTHONDONTWRITEBYTECODE=1 $(SETS_VENV)/bin/python benches/sets
BENCH_OPTIONS ?=
ROOM ?=

.PHONY: bench-speech bench-settings bench-sets
bench-speech: build $(PEERS_STAMP) ## Compare with whisper.cpp and faster-whisper on this machine: MODEL=base
	@$(PEERS)/compare.py $(if $(MODEL),--model $(MODEL)) $(BENCH_OPTIONS)

bench-settings: build $(PEERS_STAMP) ## Compare the settings of whisper.cpp: storage, flash attention, threads
	@$(PEERS)/settings.py $(BENCH_OPTIONS)

bench-sets: ## Speak product names and near-orders, and make noises, into target/test-data: ROOM=kitchen.flac
	@[ -x $(SETS_VENV)/bin/python ] || $(PYTHON) -m venv $(SETS_VENV)
	@$(SETS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r audio_fixtures/requirements.txt
	@$(SETS)/names.py target/test-data/names
	@$(SETS)/near_orders.py target/test-data/near_orders
	@$(SETS)/noise.py target/test-data/noise $(if $(ROOM),--recording $(ROOM))

BEHAVIOR_VENV := .venv-peers-behavior
BEHAVIOR_STAMP := $(BEHAVIOR_VENV)/peers-$(call fingerprint,benches/peers/requirements-behavior.txt)
SHOPPERS ?= ../shared/data/shoppers/train.csv

.PHONY: bench-behavior
bench-behavior: build $(BEHAVIOR_STAMP) ## Compare learning from a table with scikit-learn and PyTorch: SHOPPERS=FILE
	@PYTHONDONTWRITEBYTECODE=1 $(BEHAVIOR_VENV)/bin/python benches/peers/behavior.py --data $(SHOPPERS) $(BENCH_OPTIONS)
	@PYTHONDONTWRITEBYTECODE=1 $(BEHAVIOR_VENV)/bin/python benches/peers/behavior.py --data $(SHOPPERS) --drop PageValues $(BENCH_OPTIONS)
	@PYTHONDONTWRITEBYTECODE=1 $(BEHAVIOR_VENV)/bin/python benches/peers/behavior.py --data $(SHOPPERS) --speed

RULES_VENV := .venv-peers-rules
RULES_STAMP := $(RULES_VENV)/peers-$(call fingerprint,benches/peers/requirements-rules.txt)
BASKETS ?= ../shared/data/baskets/groceries.csv

.PHONY: bench-insight
bench-insight: build $(RULES_STAMP) ## Compare rules of baskets with mlxtend, and find planted anomalies: BASKETS=FILE SHOPPERS=FILE
	@PYTHONDONTWRITEBYTECODE=1 $(RULES_VENV)/bin/python benches/peers/rules.py --data $(BASKETS) $(BENCH_OPTIONS)
	@mkdir -p target/test-data
	@$(PYTHON) benches/sets/planted.py $(SHOPPERS) target/test-data/planted-mixed.csv --kind mixed --drop Revenue
	@$(PYTHON) benches/sets/planted.py $(SHOPPERS) target/test-data/planted-far.csv --kind far --drop Revenue
	@$(KIOSKD) insight anomalies --data target/test-data/planted-mixed.csv --label planted --limit 0
	@$(KIOSKD) insight anomalies --data target/test-data/planted-far.csv --label planted --limit 0

$(RULES_STAMP):
	@echo "python: making $(RULES_VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(RULES_VENV)
	@$(RULES_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r benches/peers/requirements-rules.txt
	@touch $@

$(BEHAVIOR_STAMP):
	@echo "python: making $(BEHAVIOR_VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(BEHAVIOR_VENV)
	@$(BEHAVIOR_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r benches/peers/requirements-behavior.txt
	@touch $@

$(PEERS_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python: 3.11 or newer is needed here; name one, as in make PYTHON=python3.11 bench-speech"; exit 1; }
	@echo "python: making $(PEERS_VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(PEERS_VENV)
	@$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r benches/peers/requirements.txt
	@touch $@

system-packages:
	@scripts/system-packages.sh

test-packages:
	@scripts/system-packages.sh test

$(SETUP_STAMP): | system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "python: $$($(PYTHON) --version) is too old; 3.9 or newer is needed: name one, as in make PYTHON=python3.11"; exit 1; }
	@echo "python: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r requirements/setup.txt
	@touch $@

$(TEST_STAMP): $(SETUP_STAMP)
	@echo "python: adding the test packages to $(VENV)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r requirements/test.txt
	@touch $@
