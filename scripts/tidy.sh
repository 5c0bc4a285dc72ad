#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# House rules that neither the compiler nor swift-format knows.
# Prints file:line: rule; exit 1 when one is broken.
set -euo pipefail
cd "$(dirname "$0")/.."

findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

# files FOLDER... -- PATTERN...: the files of the folders whose name fits a pattern, one a line.
files() {
  local folders=() names=()
  while [ "$1" != -- ]; do
    if [ -e "$1" ]; then folders+=("$1"); fi
    shift
  done
  shift
  local pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  if [ "${#folders[@]}" != 0 ]; then
    find "${folders[@]}" -name '.?*' -prune -o -type f \( "${names[@]:1}" \) -print | sort
  fi
}

# each_line RULE AWK_CONDITION: reads file names, reports every line that fits.
each_line() {
  xargs -r -d '\n' awk -v rule="$1" "$2"' { print FILENAME ":" FNR ": " rule }' >>"$findings"
}

# banned RULE AWK_CONDITION: reports the lines of shipped Swift that fit and are no comments.
banned() {
  files Sources -- '*.swift' | each_line "$1" '!/^[[:space:]]*\/\// && '"$2"
}

files Sources Tests Benchmarks Fuzz scripts .ci/run -- '*.swift' '*.c' '*.h' '*.py' '*.sh' '*.dict' run bench fuzz |
  xargs -r -d '\n' awk '
    FNR == 1 { found = 0 }
    /SPDX-License-Identifier: Apache-2\.0/ && FNR <= 2 { found = 1 }
    FNR == 2 && !found { print FILENAME ":1: the first line is not the SPDX line" }' >>"$findings"

banned 'try! hides an error: handle it' '/(^|[^A-Za-z0-9_])try!/'
banned 'as! can crash: use as?' '/(^|[^A-Za-z0-9_])as!/'
banned 'fatalError is no way to report: throw, or use precondition' '/(^|[^A-Za-z0-9_])fatalError\(/'
banned 'a thread sleeps here: wait for what is meant' '/Thread\.sleep|usleep\(|nanosleep\(/'

# The proof stands on the line itself or up to two lines before or after it.
files Sources Tests -- '*.swift' | xargs -r -d '\n' awk '
  function close_file(  line) {
    for (line in unsafe)
      if (!((line - 2) in proof || (line - 1) in proof || (line + 0) in proof || (line + 1) in proof ||
            (line + 2) in proof))
        print name ":" line ": no SAFETY: comment beside it"
    delete unsafe; delete proof
  }
  FNR == 1 { close_file(); name = FILENAME }
  /@unchecked Sendable|nonisolated\(unsafe\)/ && !/^[[:space:]]*\/\// { unsafe[FNR] = 1 }
  /SAFETY:/ { proof[FNR] = 1 }
  END { close_file() }' >>"$findings"

text=(-- '*.swift' '*.c' '*.h' '*.lua' '*.md' '*.py' '*.sh' '*.yaml' '*.json' bench)
# The pattern does not contain itself.
files Sources Tests Benchmarks Fuzz/src agents tools lib evals docs "${text[@]}" |
  each_line 'unfinished: do it, or open an issue' '/(^|[^A-Za-z])(TO[D]O|FIXM[E]|XX[X])([^A-Za-z]|$)/'
files Sources Tests agents tools lib evals Benchmarks Fuzz/src -- '*.swift' '*.lua' '*.c' '*.h' '*.py' |
  each_line 'a tab: indent with spaces' '/\t/'

# Home folders, and the folder that this checkout stands in.
here=$(dirname "$PWD")
case $here in / | /tmp | /var | /opt | /src | /app) here= ;; esac
files Sources Tests Benchmarks agents tools lib evals docs "${text[@]}" |
  HERE="$here" each_line 'a path of one machine' '
    /(^|[^A-Za-z0-9_.\/-])\/(home|Users|root)\/[A-Za-z]/ ||
    (ENVIRON["HERE"] != "" && index($0, ENVIRON["HERE"] "/"))'

if [ -s "$findings" ]; then
  sort -t : -k 1,1 -k 2,2n "$findings" >&2
  printf 'error: %d broken house rules\n' "$(wc -l <"$findings")" >&2
  exit 1
fi
