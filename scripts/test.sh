#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the tests that are built, in two passes, and says at the end what failed in either.
#
#   scripts/test.sh COMPUTING [ARGUMENT...]
#
# COMPUTING names, as a regular expression, the tests that want the processors for themselves.
set -u
computing=$1
shift
swift=${SWIFT:-swift}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Prints what a pass prints, and keeps it.
pass() {
  { "$swift" test --skip-build "$@" 2>&1 || echo "✘ swift test failed: $*"; } | tee -a "$log"
}

pass --no-parallel --skip "^(?!$computing)" "$@"
pass --experimental-maximum-parallelization-width 8 --skip "^$computing" "$@"

if grep -q '^✘' "$log"; then
  printf '\nWhat failed:\n'
  grep -A3 '^✘.* recorded an issue' "$log" | grep -v '^[✔◇]' | cut -c1-600
  grep '^✘' "$log" | grep -v 'recorded an issue' | cut -c1-600
  exit 1
fi
