#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what a build needs and installs missing Debian packages.
#
#   scripts/setup.sh            the Swift toolchain and the system packages
#   scripts/setup.sh toolchain  the Swift toolchain alone
#   scripts/setup.sh fuzz       the system packages, and a clang with libFuzzer when there is none
#   scripts/setup.sh python     the Python packages of the tests, in .build/python; without them, and outside CI, their
#                               tests are passed over
#   scripts/setup.sh conformance  the Python packages of make conformance, in .build/conformance
#   scripts/setup.sh lua        luacheck and the stock Lua 5.4, for make lint and the tests; passed over as Python is
#   scripts/setup.sh valgrind   valgrind, for make bench-guard
#   scripts/setup.sh browser    Chromium and its driver, for the tests of the page; passed over as Python is
#
# Says nothing when everything is there. Exit 2: something is missing that it cannot install.
set -euo pipefail

swift=${SWIFT:-swift}
swift_version_min=6.3
modules=(
  lua5.4:liblua5.4-dev sqlite3:libsqlite3-dev libcurl:libcurl4-openssl-dev jemalloc:libjemalloc-dev
)

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  printf 'hint: %s\n' "$@" >&2
  exit 2
}

check_toolchain() {
  local install="install it from https://www.swift.org/install/linux/ and put its usr/bin first in PATH, \
or name it: make SWIFT=/path/to/swift"
  command -v "$swift" >/dev/null || fail "no Swift toolchain: '$swift' was not found" "$install"
  local version
  version=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
  [ -n "$version" ] || fail "'$swift --version' does not name a version" "$install"
  local oldest
  oldest=$(printf '%s\n%s\n' "$swift_version_min" "$version" | sort -V | head -n 1)
  [ "$oldest" = "$swift_version_min" ] ||
    fail "Swift $version is too old; $swift_version_min or newer is needed" "$install"
}

missing_packages() {
  if command -v pkg-config >/dev/null; then
    local module
    for module in "${modules[@]}"; do
      pkg-config --exists "${module%%:*}" || echo "${module#*:}"
    done
  else
    echo pkg-config
    printf '%s\n' "${modules[@]#*:}"
  fi
  # SwiftPM fetches the dependencies with git; providers are called over TLS.
  command -v git >/dev/null || echo git
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || echo ca-certificates
}

install() {
  local by_hand="as root: apt-get update && apt-get install -y $*"
  command -v apt-get >/dev/null ||
    fail "missing: $*" "these are the names in Debian 12; install what your system has in their place"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "missing packages: $*" "$by_hand"
    as_root=(sudo -n)
  fi
  echo "installing $*"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${apt[@]}" update </dev/null || echo "apt-get update failed; trying with the lists that are here" >&2
  "${apt[@]}" install -y --no-install-recommends "$@" </dev/null ||
    fail "apt-get could not install: $*" "$by_hand"
}

# Says why tests are passed over; in CI nothing is.
pass_over() {
  [ -z "${CI:-}" ] || fail "$1" "CI runs every test"
  printf 'note: %s; what needs it is passed over\n' "$1" >&2
  exit 0
}

# optional COMMAND PACKAGE...: installs them in CI and for root, else passes over what needs the command.
optional() {
  local command=$1
  shift
  if command -v "$command" >/dev/null; then return; fi
  [ -n "${CI:-}" ] || [ "$(id -u)" = 0 ] || pass_over "there is no $command"
  (install "$@") || pass_over "there is no $command"
}

# make_python PLACE REQUIREMENTS...: a virtual environment with what the files name.
make_python() {
  local place=$1 wanted file arguments=()
  shift
  for file; do arguments+=(--requirement "$file"); done
  wanted=$(cat "$@")
  if [ "$wanted" = "$(cat "$place/requirements.txt" 2>/dev/null)" ] && "$place/bin/python" -c '' 2>/dev/null; then
    return
  fi
  python3 -c 'import ensurepip, venv' 2>/dev/null || (install python3 python3-venv) || pass_over "there is no python3-venv"
  rm -rf "$place"
  mkdir -p .build
  python3 -m venv "$place" || pass_over "python3 -m venv failed"
  "$place/bin/pip" install --quiet --disable-pip-version-check "${arguments[@]}" ||
    pass_over "pip could not install what $* name"
  printf '%s\n' "$wanted" >"$place/requirements.txt"
}

case ${1:-} in
  python)
    # Each folder of Python tests names what it needs; all are installed together.
    cd "$(dirname "$0")/.."
    make_python .build/python Tests/CLITests/*/requirements.txt
    exit 0
    ;;
  conformance)
    cd "$(dirname "$0")/.."
    # Nothing is passed over: it is all that was asked for.
    CI=1 make_python .build/conformance Tests/Conformance/requirements.txt
    exit 0
    ;;
  lua)
    optional luacheck lua-check
    optional lua5.4 lua5.4
    exit 0
    ;;
  valgrind)
    # Not passed over either.
    command -v valgrind >/dev/null || install valgrind
    command -v strip >/dev/null || install binutils
    command -v cc >/dev/null || command -v clang >/dev/null || install gcc libc6-dev
    exit 0
    ;;
  browser)
    optional chromium chromium
    optional chromedriver chromium-driver
    exit 0
    ;;
esac
check_toolchain
[ "${1:-}" = toolchain ] && exit 0
mapfile -t missing < <(missing_packages)
# The toolchain's own clang will do, except where it came without the sanitizers' runtime.
if [ "${1:-}" = fuzz ]; then
  command -v python3 >/dev/null || missing+=(python3)
  command -v ar >/dev/null || missing+=(binutils)
  [ "${#missing[@]}" = 0 ] || install "${missing[@]}"
  "$(dirname "$0")/../Fuzz/fuzz" --check-compiler >/dev/null 2>&1 || install clang-14 libclang-rt-14-dev
  exit 0
fi
[ "${#missing[@]}" = 0 ] || install "${missing[@]}"
