#!/usr/bin/env bash
# Every check of the project, each with the time it took. `make test` prepares what this needs.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO_DENY_VERSION=0.20.2

export RUSTDOCFLAGS="-D warnings"
# Tests leave nothing in the working tree, and the browser's driver is the one installed, never a downloaded one.
export PYTHONDONTWRITEBYTECODE=1 SE_OFFLINE=true

step() {
    local name=$1 started=$SECONDS status=0
    shift
    echo
    echo "== $name"
    "$@" || status=$?
    if ((status)); then
        echo "== $name: failed after $((SECONDS - started)) s"
        exit "$status"
    fi
    echo "== $name: $((SECONDS - started)) s"
}

# Compiling it takes minutes, so it is kept below target/tools until another version is wanted.
provide_cargo_deny() {
    local candidate
    for candidate in cargo-deny target/tools/bin/cargo-deny; do
        if [[ $("$candidate" --version 2>/dev/null) == "cargo-deny $CARGO_DENY_VERSION" ]]; then
            CARGO_DENY=$candidate
            return
        fi
    done
    echo "compiling cargo-deny $CARGO_DENY_VERSION into target/tools"
    cargo install --quiet --locked --version "$CARGO_DENY_VERSION" --root target/tools cargo-deny || return
    CARGO_DENY=target/tools/bin/cargo-deny
}

licences() { "$CARGO_DENY" --locked check --hide-inclusion-graph licenses bans sources; }

# Advisories change from day to day, and their database is in no package registry: they are shown where they can be had, and decide nothing.
advisories() {
    if ! timeout 60 "$CARGO_DENY" fetch db >/dev/null 2>&1; then
        echo "SKIPPED: the database of advisories cannot be reached from here"
    elif ! "$CARGO_DENY" --locked --offline check advisories; then
        echo "WARNING: see the advisories above"
    fi
}

python_tests() {
    local folders=(models/setup models/training)
    if [[ -d tests/browser ]]; then folders+=(tests/browser); fi
    .venv/bin/python -m pytest -p no:cacheprovider -q -rs "${folders[@]}"
}

started=$SECONDS
step "formatting" cargo fmt --check
step "lints (clippy)" cargo clippy --release --locked --all-targets -- -D warnings
step "tests (cargo test)" cargo test --release --locked
step "documentation (cargo doc)" cargo doc --release --locked --no-deps
step "cargo-deny itself" provide_cargo_deny
step "licences, bans and sources (cargo-deny)" licences
step "advisories (cargo-deny)" advisories
step "models/setup and pages (pytest)" python_tests
echo
echo "all checks passed in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
