# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the commands that a document shows.

Usage: run_commands.py ROOT FOLDER DOCUMENT...

Blocks with the info string "sh run" are run by the shell in FOLDER, in which
test/ of the repository stands, one document after the other. Each command must
succeed. The tools are found by name.
"""

import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```sh run\n(.*?)^```", re.M | re.S)


def main():
    root, folder = map(pathlib.Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    test = folder / "test"
    if not test.exists():
        test.symlink_to(root.resolve() / "test")
    for document in sys.argv[3:]:
        commands = BLOCK.findall(pathlib.Path(document).read_text(encoding="utf-8"))
        if not commands:
            sys.exit(f"{document}: error: no commands to run")
        for block in commands:
            for command in block.strip().splitlines():
                result = subprocess.run(command, shell=True, cwd=folder, capture_output=True,
                                        text=True, check=False)
                if result.returncode:
                    sys.exit(f"{document}: error: exit code {result.returncode} of\n  {command}\n"
                             f"{result.stdout}{result.stderr}")


main()
