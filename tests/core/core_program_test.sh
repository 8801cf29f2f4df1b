#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program of a build of the similarity core alone: what it has works on .npz, what it has not it says.
# usage: core_program_test.sh PROGRAM VERSION
set -eu
program=$1 version=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMP_WAIT_POLICY=passive

fail() {
    echo "$1" >&2
    exit 1
}
# says FILE TEXT: the file holds the text.
says() {
    grep -qF -- "$2" "$1" || fail "expected \"$2\" in: $(cat "$1")"
}

[ "$("$program" --version)" = "paperkin $version" ] || fail "the version is wrong"
"$program" help >help
for command in backends bench help neighbors pairs version; do says help "  $command "; done
! grep -q '^  digest' help || fail "the core alone has no command digest"
"$program" backends >backends
says backends cpu

# Rows of a benchmark, written, read again and compared: in three ways the same, and by brute force.
"$program" bench --generate 400 --seed 5 -t 0.3 -k 3 --repeat 1 --verify --write-matrix rows.npz >bench.txt
says bench.txt join
"$program" pairs --backend cpu -q -t 0.3 --exact rows.npz >pairs
for method in sketch tail index; do
    "$program" pairs --backend cpu -q -t 0.3 --exact --method "$method" rows.npz | cmp - pairs || fail "$method differs"
done
[ "$(wc -l <pairs)" -gt 5 ] || fail "hardly a pair was found"
"$program" neighbors --backend cpu -q -k 2 rows.npz >neighbors
[ "$(wc -l <neighbors)" -gt 400 ] || fail "hardly a neighbour was found"

# What it has not.
echo 'a digest' >text.md
status=0
"$program" pairs -t 0.5 text.md >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "text ended with $status"
says err "this build reads .npz only"
status=0
"$program" pairs -t 0.5 missing.npz >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "a missing file ended with $status"
says err "missing.npz: No such file"
status=0
"$program" digest text.md >out 2>err || status=$?
[ "$status" -eq 2 ] || fail "an unknown command ended with $status"
says err 'unknown command "digest"'
