// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TEST_CONVERSION_KERNELS_COMPILETEXT_H
#define TEST_CONVERSION_KERNELS_COMPILETEXT_H

#include "compiler/pipeline/Pipeline.h"
#include "test/e2e/ModelLibrary.h"

#include <memory>

namespace vae::test {

/// Compiles a model file's text and loads the library. Null, and a failure of
/// the test, if that cannot be done.
std::unique_ptr<ModelLibrary> compileText(llvm::StringRef model,
                                          const CompileOptions &options);

/// Numbers as a model file has them, between commas.
std::string join(llvm::ArrayRef<float> values);
std::string joinSizes(llvm::ArrayRef<int64_t> sizes);

/// The hash that a range table of that model has.
std::string hashText(llvm::StringRef model);

} // namespace vae::test

#endif // TEST_CONVERSION_KERNELS_COMPILETEXT_H
