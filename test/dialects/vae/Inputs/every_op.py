# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the operations of VaeOps.td with those that the tests name.

Usage: every_op.py SOURCE_DIR
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
page = (root / "docs/dialect.md").read_text()
tests = root / "test/dialects/vae"
basic = (tests / "basic.mlir").read_text()
errors = "".join((tests / name).read_text() for name in ("basic-errors.mlir", "quant-errors.mlir"))
failures = []
sections = re.split(r"(?m)^### `(vae\.\w+)`.*$", page.split("## Interfaces")[0])
operations = dict(zip(sections[1::2], sections[2::2]))
if len(operations) < 20:
    failures.append(f"docs/dialect.md: only {len(operations)} operations found")
for name, text in operations.items():
    if not re.search(rf"{re.escape(name)}\b", basic):
        failures.append(f"basic.mlir: no {name}")
    for constraint in sorted(set(re.findall(r"\(C\d+\)", text))):
        if not re.search(rf"'{re.escape(name)}' op .*{re.escape(constraint)}", errors):
            failures.append(f"no error {constraint} of {name}")
for constraint in ("(G1)", "(G2)", "(G3)"):
    if constraint not in errors:
        failures.append(f"no error {constraint}")
print("\n".join(failures))
sys.exit(bool(failures))
