// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec: compiles a model to a shared library.
#include "tools/vaec/Vaec.h"

int main(int argc, char **argv) { return vae::tool::runVaec(argc, argv); }
