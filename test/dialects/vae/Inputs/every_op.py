# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the operations of VaeOps.td with those that the tests name.

Usage: every_op.py SOURCE_DIR
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
page = (root / "docs/dialect.md").read_text()
tests = {
    name: (root / "test/dialects/vae" / name).read_text()
    for name in ("basic.mlir", "basic-errors.mlir")
}
failures = []
sections = re.split(r"(?m)^### `(vae\.\w+)`.*$", page.split("## Interfaces")[0])
operations = dict(zip(sections[1::2], sections[2::2]))
if len(operations) < 20:
    failures.append(f"docs/dialect.md: only {len(operations)} operations found")
for name, text in operations.items():
    if not re.search(rf"{re.escape(name)}\b", tests["basic.mlir"]):
        failures.append(f"basic.mlir: no {name}")
    for constraint in sorted(set(re.findall(r"\(C\d+\)", text))):
        if not re.search(rf"'{re.escape(name)}' op .*{re.escape(constraint)}", tests["basic-errors.mlir"]):
            failures.append(f"basic-errors.mlir: no {constraint} of {name}")
for constraint in ("(G1)", "(G2)", "(G3)"):
    if constraint not in tests["basic-errors.mlir"]:
        failures.append(f"basic-errors.mlir: no {constraint}")
print("\n".join(failures))
sys.exit(bool(failures))
