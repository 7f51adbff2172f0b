// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TEST_E2E_RANDOMRANGES_H
#define TEST_E2E_RANDOMRANGES_H

#include "compiler/pipeline/Pipeline.h"

#include <random>
#include <string>

namespace vae::test {

/// Ranges for all tensors of a model, of any size and around 0 or not: numbers
/// may lie outside of them.
RangeTable drawRanges(const std::string &path, const CompileOptions &options,
                      std::mt19937 &random);

} // namespace vae::test

#endif // TEST_E2E_RANDOMRANGES_H
