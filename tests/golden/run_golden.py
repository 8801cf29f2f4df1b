#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests of the command line.

A case is a file of commands with what they are expected to write:

    # why this case is here
    @needs zstd                  (the case is left out where there is no such program)
    @needs-terminal              (the case is left out where no pseudo-terminal can be opened)
    @needs-ordinary-user         (permissions do not stop root: the case is then run as nobody)
    $ paperkin version           (a command for bash, in a fresh copy of data/)
    | paperkin <VERSION>         (a line of standard output)
    ! ...                        (a line of standard error)
    = 0                          (the exit code)

A line that did not end with a line end is followed by `\\`. What differs between machines and runs is replaced by a
name in angle brackets.

    run_golden.py --program build/release/bin/paperkin [--update] [--docs FILE] [CASE...]

--update writes what the program did in place of what was expected: read it before you keep it.
"""
import argparse
import difflib
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile

NOBODY = 65534
SKIPPED = 77  # the exit code that tells CTest that nothing was tested
HERE = os.path.dirname(os.path.abspath(__file__))

REPLACED = [
    (re.compile(r"\b\d+\.\d\d s: reading \d+\.\d\d, vectors \d+\.\d\d, similarity \d+\.\d\d"
                r"(, threads \d+\.\d\d)?(, novelty \d+\.\d\d)?, writing \d+\.\d\d"),
     "<SECONDS>"),
    (re.compile(r'"(total|ingest|vectors|similarity|threads|novelty|write)": \d+\.\d{3}'), r'"\1": <SECONDS>'),
    (re.compile(r'"(store_bytes|bytes)": \d+'), r'"\1": <BYTES>'),
    (re.compile(r"\b\d+(\.\d)? (bytes|kB|MB)\b"), "<SIZE>"),
    (re.compile(r'"paperkin": "\d+\.\d+\.\d+"'), '"paperkin": "<VERSION>"'),
    (re.compile(r"^paperkin \d+\.\d+\.\d+$", re.MULTILINE), "paperkin <VERSION>"),
    (re.compile(r'"tokenizer": "[^"]*"'), '"tokenizer": "<TOKENIZER>"'),
    (re.compile(r", tokenizer .*"), ", tokenizer <TOKENIZER>"),
    # Progress depends on the machine's speed. What was not erased again stays to be seen.
    (re.compile(r"(<CR><ESC>\[K[^<\n]+)+<CR><ESC>\[K"), ""),
    # Chinese words depend on ICU's dictionary, and what is wrong with JSON is told in simdjson's words.
    (re.compile(r"^terms  +\d+", re.MULTILINE), "terms  <TERMS>"),
    (re.compile(r'"(terms|nonzeros)": \d+'), r'"\1": <TERMS>'),
    (re.compile(r"\b\d+ terms, \d+ nonzeros"), "<TERMS> terms, <TERMS> nonzeros"),
    (re.compile(r"skipped: not valid JSON: .*"), "skipped: not valid JSON: <REASON>"),
    # Builds with a GPU backend say what did the work; why there is no GPU depends on build and machine.
    (re.compile(r"^compared on the CPU \(.*\)\n", re.MULTILINE), ""),
    (re.compile(r'(backend "cuda").*(?:\n  .*)*'), r"\1 <WHY NOT>"),
]


def normalised(text, folder):
    text = text.replace(os.path.realpath(folder), "<FOLDER>").replace(folder, "<FOLDER>")
    for byte, name in (("\r", "<CR>"), ("\033", "<ESC>"), ("\ufeff", "<BOM>")):
        text = text.replace(byte, name)
    for pattern, name in REPLACED:
        text = pattern.sub(name, text)
    return text


def marked(mark, text):
    """The lines of `text`, each behind its mark."""
    lines = [f"{mark} {line}".rstrip(" ") if not line else f"{mark} {line}" for line in text.split("\n")]
    if text.endswith("\n") or not text:
        return lines[:-1]
    return lines + ["\\"]


def environment(program, folder):
    kept = {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH")
            if name in os.environ}
    path = os.pathsep.join([os.path.dirname(program), os.path.join(HERE, "tools"), os.environ.get("PATH", "")])
    return {**kept, "PATH": path, "HOME": folder, "TERM": "xterm", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": ""}


def hand_over(base, program):
    """Gives the case's folder to nobody, with a copy of the program that nobody may read; the copy's path."""
    copy = os.path.join(base, "bin", os.path.basename(program))
    os.mkdir(os.path.dirname(copy))
    shutil.copy(program, copy)
    linked = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    for library in re.findall(r"=> (\S*/libpaperkin\S*)", linked):
        shutil.copy(library, os.path.dirname(copy))
    os.chmod(base, 0o755)
    for folder, _, files in os.walk(os.path.join(base, "work")):
        for name in [folder] + [os.path.join(folder, file) for file in files]:
            os.chown(name, NOBODY, NOBODY)
    return copy


def run_command(command, program, folder, as_nobody=False):
    env = environment(program, folder)
    other = {}
    if as_nobody:
        env["LD_LIBRARY_PATH"] = os.path.dirname(program)
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **other)
    out = normalised(done.stdout.decode("utf-8", "backslashreplace"), folder)
    err = normalised(done.stderr.decode("utf-8", "backslashreplace"), folder)
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return marked("|", out) + marked("!", err) + [f"= {code}"]


def can_open_terminal():
    try:
        ends = pty.openpty()
    except OSError:  # no /dev/ptmx, as in some containers, or none left
        return False
    for end in ends:
        os.close(end)
    return True


def is_missing(line):
    """Whether the line asks for something that is not here."""
    if line.startswith("@needs "):
        return not shutil.which(line.split()[1])
    return line == "@needs-terminal" and not can_open_terminal()


def run_case(path, program):
    """What the case looks like with what the program does now; None when something that it needs is missing."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    result = []
    as_nobody = "@needs-ordinary-user" in lines and os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="paperkin-golden-") as base:
        folder = os.path.join(base, "work")
        shutil.copytree(os.path.join(HERE, "data"), folder)
        if as_nobody:
            program = hand_over(base, program)
        for line in lines:
            if is_missing(line):
                return lines, None
            if line.startswith("$ "):
                result.append(line)
                result += run_command(line[2:], program, folder, as_nobody)
            elif not line or line[0] not in "|!=\\":
                result.append(line)
    return lines, result


def check_case(path, program, update):
    expected, found = run_case(path, program)
    name = os.path.basename(path)
    if found is None:
        print(f"skipped {name}: what it needs is not here")
        return None
    if expected == found:
        print(f"passed {name}")
        return True
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(found) + "\n")
        print(f"updated {name}")
        return True
    print(f"FAILED {name}: expected (-) and found (+)")
    print("\n".join(difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=3)))
    return False


def check_docs(path, program, update):
    """The reference holds the help texts: blocks that follow a comment `<!-- help: COMMAND -->`, one for each command."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    overview = subprocess.run([program, "help"], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
    listed = re.findall(r"^  (\w+)  ", overview.split("Commands:")[1].split("\n\n")[0], flags=re.MULTILINE)
    missing = [name for name in listed if name not in ("help", "version") and f"<!-- help: {name} -->" not in text]
    if missing or not listed:
        print(f"FAILED {path}: no help text of {', '.join(missing) or 'any command'}; "
              "add `<!-- help: COMMAND -->` and an empty block ```text")
        return False

    def block(match):
        done = subprocess.run([program, "help"] + match.group(1).split(), stdout=subprocess.PIPE, check=True)
        return f"<!-- help:{match.group(1)} -->\n```text\n{done.stdout.decode('utf-8')}```\n"

    found = re.sub(r"<!-- help:(.*?) -->\n```text\n.*?```\n", block, text, flags=re.DOTALL)
    if found == text:
        print(f"passed {os.path.basename(path)}")
        return True
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(found)
        print(f"updated {os.path.basename(path)}")
        return True
    print(f"FAILED {path}: help texts differ; run_golden.py --update writes them")
    print("\n".join(difflib.unified_diff(text.split("\n"), found.split("\n"), "docs", "help", lineterm="", n=2)))
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--docs")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    folder = os.path.join(HERE, "cases")
    names = arguments.cases or ([] if arguments.docs else sorted(os.listdir(folder)))
    good = [check_case(os.path.join(folder, name if name.endswith(".txt") else name + ".txt"), program,
                       arguments.update) for name in names]
    if arguments.docs:
        good.append(check_docs(arguments.docs, program, arguments.update))
    if good and all(each is None for each in good):
        return SKIPPED
    return 1 if False in good else 0


if __name__ == "__main__":
    sys.exit(main())
