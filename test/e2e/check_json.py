# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes models with `vaec --emit=json` and imports them again: the IR must be
the same to the letter.

Usage: check_json.py --vaec FILE FOLDER

FOLDER holds models, one a folder, each model.json.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vaec", required=True)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()

    def run(model, stage, output="-"):
        return subprocess.run([arguments.vaec, model, f"--emit={stage}", "-o", output],
                              capture_output=True, check=True).stdout

    models = sorted(arguments.folder.rglob("model.json"))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        written = pathlib.Path(folder) / "model.json"
        for model in models:
            run(model, "json", written)
            if run(model, "import") != run(written, "import"):
                print(f"{model}: error: another model after --emit=json")
                failed += 1
    print(f"{len(models)} models, {failed} differ")
    return failed or len(models) < 20


sys.exit(main())
