#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds scripts against what other tools say of Lua, by the settings that `perigee types` and `perigee init` write:
# luacheck by .luacheckrc, and lua-language-server by .luarc.json where it is on PATH.
#
#   scripts/lint_lua.sh [WORKSPACE...]   the shipped workspaces unless said
#
# Exit 1: one of them found something. Without luacheck, and outside CI, a note takes its place.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
if [ $# = 0 ]; then set -- "$repository" "$repository/Benchmarks/workspace"; fi

# A workspace without settings of its own is held against those that ship.
settings() { if [ -e "$1/$2" ]; then echo "$1/$2"; else echo "$repository/$2"; fi; }

status=0
if command -v luacheck >/dev/null; then
  for workspace in "$@"; do
    folders=()
    for folder in agents tools lib evals; do
      if [ -d "$workspace/$folder" ]; then folders+=("$folder"); fi
    done
    # There, because what .luacheckrc leaves out is named from the folder that it is run in.
    (cd "$workspace" && luacheck --quiet --no-color --config "$(settings "$workspace" .luacheckrc)" "${folders[@]}") ||
      status=1
  done
elif [ -n "${CI:-}" ]; then
  printf 'error: there is no luacheck\nhint: as root: scripts/setup.sh lua\n' >&2
  exit 2
else
  echo 'note: there is no luacheck; scripts are not held against it' >&2
fi

# Needs the stubs in types/, which a workspace with settings of its own has. Older releases end with 0 whatever they
# found, so what they wrote down counts, too: an empty list or table.
if command -v lua-language-server >/dev/null; then
  logs=$(mktemp -d)
  trap 'rm -rf "$logs"' EXIT
  for workspace in "$@"; do
    [ -e "$workspace/.luarc.json" ] || continue
    rm -f "$logs/check.json"
    ended=0
    lua-language-server --check "$workspace" --checklevel=Warning --configpath "$workspace/.luarc.json" \
      --logpath "$logs" >"$logs/said" 2>&1 || ended=1
    case $(tr -d '[:space:]' 2>/dev/null <"$logs/check.json" || true) in
      '' | '[]' | '{}') [ "$ended" = 0 ] || cat "$logs/said" ;;
      *)
        ended=1
        cat "$logs/check.json"
        ;;
    esac
    [ "$ended" = 0 ] || status=1
  done
else
  echo 'note: lua-language-server is not on PATH; scripts are not held against it' >&2
fi
exit "$status"
