# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts beside this file; they source it.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
# A newer CMake than the system's may live in the virtual environment, beside the Python packages of the tests.
# Called again after scripts/setup, which may have made it.
use_venv() {
    [[ ! -d "$VENV/bin" || "$PATH" == "$VENV/bin:"* ]] || export PATH="$VENV/bin:$PATH"
    hash -r
}
use_venv

if [[ -t 1 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' YELLOW=$'\e[33m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' GREEN='' YELLOW='' RED='' PLAIN=''
fi

heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
done_line() { printf '  %s✓%s %s\n' "$GREEN" "$PLAIN" "$*"; }
warn() { printf '  %s!%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }
die() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
    exit 1
}

# How many jobs a build may run: PAPERKIN_JOBS, else every core that this process may use.
jobs_wanted() { printf '%s' "${PAPERKIN_JOBS:-$(nproc)}"; }

# run_logged LOG TEXT COMMAND...: runs quietly, and shows the end of the log (LOG_LINES lines) when the command fails.
run_logged() {
    local log="$1" text="$2" begin=$SECONDS
    shift 2
    mkdir -p "$(dirname "$log")"
    printf '\n$ %s\n' "$*" >>"$log"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        printf '%serror:%s %s failed; the end of %s says:\n\n' "$RED" "$PLAIN" "$text" "${log#"$ROOT"/}" >&2
        tail -n "${LOG_LINES:-25}" "$log" | cut -c 1-300 >&2
        return 1
    fi
    done_line "$text ${DIM}($((SECONDS - begin)) s)${PLAIN}"
}

# version_at_least HAVE WANT
version_at_least() { [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

# configure_preset PRESET ARGUMENT...: a build folder that CMake made for another path or generator is made afresh.
configure_preset() {
    local preset="$1" folder="$ROOT/build/$1"
    shift
    local fresh=()
    if [[ -f "$folder/CMakeCache.txt" ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$folder/CMakeCache.txt"; then
        fresh=(--fresh)
    fi
    (cd "$ROOT" && run_logged "$folder.log" "configuration of preset $preset" cmake --preset "$preset" "${fresh[@]}" "$@")
}

# build_preset PRESET ARGUMENT...
build_preset() {
    local preset="$1"
    shift
    (cd "$ROOT" && run_logged "$ROOT/build/$preset.log" "build in build/$preset" \
        cmake --build --preset "$preset" --parallel "$(jobs_wanted)" "$@")
}
