#!/bin/sh
# Runs every test, after installing the Debian packages that they run against. Needs root: the tests build hosts
# in network namespaces of their own.
set -eu
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || {
    echo "tests/run.sh: needs root, for network namespaces" >&2
    exit 1
}
tests/packages.sh
tests/vm/kernel.sh
mibs/check.sh
# Stories wait more than they compute: one more at a time than there are processors.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$(($(nproc) + 1))}"
# A test that never ends is a failure too.
timeout --verbose --kill-after=60 50m cargo test --workspace --locked --no-fail-fast "$@"
