# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares what documents quote with the files.

Usage: check_quotes.py ROOT

A block of code after "<!-- quoted from PATH -->" must stand in that file as it
is.
"""

import pathlib
import re
import sys

QUOTE = re.compile(r"^<!-- quoted from (\S+) -->\n```\w*\n(.*?)^```", re.M | re.S)


def main():
    root = pathlib.Path(sys.argv[1])
    failures = quotes = 0
    for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        marks = text.count("<!-- quoted from ")
        found = QUOTE.findall(text)
        if marks != len(found):
            print(f"{path}: error: a mark 'quoted from' without a block of code")
            failures += 1
        for source, quoted in found:
            quotes += 1
            if quoted not in (root / source).read_text(encoding="utf-8"):
                print(f"{path}: error: {source} has no such text:\n{quoted}")
                failures += 1
    print(f"{quotes} quotes")
    return 1 if failures or not quotes else 0


sys.exit(main())
