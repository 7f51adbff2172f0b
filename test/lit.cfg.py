# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit configuration: tests of tools and passes. See docs/debugging.md."""

import os
import sys

import lit.formats

config.name = "vaec"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "models"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test", "lit")

# Tools are found by name; FileCheck, not and split-file come with LLVM.
config.environment["PATH"] = os.pathsep.join(
    [config.bin_dir, config.llvm_bin_dir, os.environ.get("PATH", "")]
)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions += [
    ("%models", os.path.join(config.test_source_root, "models")),
    ("%handmade", os.path.join(config.build_dir, "test", "runtime", "models")),
    ("%src", config.source_dir),
    ("%python", config.python or sys.executable),
]
if config.python:
    config.available_features.add("torch")
if config.sanitizer:
    config.available_features.add("sanitizer")
