# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs vaec on input that it must refuse, in the folder of the test.

    python3 bad.py [--memory MIB] [--file-size BYTES] ARGUMENTS OF VAEC

Succeeds if vaec exits with 1, reports one error of the form "file: error: ..."
or "file:line:col: error: ...", and leaves the folder as it was. Prints what vaec
printed. --memory limits the address space (not with VAEC_TEST_SANITIZER set: shadow
memory is address space too), --file-size the size of any file that is written, as
on a full disk.
"""
import argparse
import os
import re
import resource
import subprocess
import sys


def snapshot():
    """Path to content (or the target of a link) of everything in the folder."""
    found = {}
    for folder, folders, files in os.walk("."):
        for name in folders:
            found[os.path.join(folder, name)] = None
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
            else:
                with open(path, "rb") as file:
                    found[path] = file.read()
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int)
    parser.add_argument("--file-size", type=int)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    def limit():
        if options.memory and not os.environ.get("VAEC_TEST_SANITIZER"):
            resource.setrlimit(resource.RLIMIT_AS, (options.memory << 20,) * 2)
        if options.file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_size,) * 2)

    before = snapshot()
    done = subprocess.run(
        ["vaec", *options.arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit
    )
    text = done.stderr.decode("utf-8")
    print(text, end="")
    faults = []
    if done.returncode != 1:
        faults.append(f"exit code {done.returncode}, expected 1")
    if text.count("error:") != 1:
        faults.append(f"{text.count('error:')} errors, expected one")
    if not re.match(r"[^\n]+?:(\d+:\d+:)? error: [^\n]+\n", text):
        faults.append("the first line is not 'file:line:col: error: ...'")
    after = snapshot()
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            faults.append(f"left behind: {path}")
        elif before[path] != after.get(path):
            faults.append(f"changed: {path}")
    for fault in faults:
        print("bad.py:", fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
