#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the build into a fresh folder, and builds and runs the example against what was installed there: pkg-config
# must find it in that folder by itself. The library exports public names alone.
# Usage: install_test.sh CMAKE BUILD_FOLDER SOURCE_FOLDER C_COMPILER
set -eu
stage="$2/Testing/install"
rm -rf "$stage"
"$1" --install "$2" --prefix "$stage" >/dev/null
flags=$(PKG_CONFIG_PATH="$(dirname "$(find "$stage" -name paperkin.pc)")" \
    pkg-config --cflags --libs paperkin)
library=$(dirname "$(find "$stage" -name 'libpaperkin.so' | head -n 1)")
# The flags are words, not one word.
# shellcheck disable=SC2086
"$4" -std=c17 -Wall -Wextra -Werror "$3/tests/examples/find_pairs.c" $flags -Wl,-rpath,"$library" -o "$stage/find_pairs"
"$stage/find_pairs" "$3/datasets/2026-03-03.jsonl" | grep -q '^1\.000  A Shared Log across Oceans'
nm -D --defined-only "$library/libpaperkin.so" | awk '$NF !~ /^pkin_/ || $NF ~ /^pkin_i_/ { print "exported: " $NF; bad = 1 }
    END { exit bad }'
"$stage/bin/paperkin" --version
