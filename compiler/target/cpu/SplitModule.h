// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code in several threads.
#ifndef COMPILER_TARGET_CPU_SPLITMODULE_H
#define COMPILER_TARGET_CPU_SPLITMODULE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>
#include <vector>

namespace vae {

/// Divides a module into parts of about equal work, as bitcode. Internal
/// functions whose address another part takes become hidden symbols. The result
/// depends on the module only.
std::vector<std::string> splitModule(std::unique_ptr<llvm::Module> module);

/// Calls body(i) for all i < count, on as many threads as the machine has.
void parallelFor(size_t count, llvm::function_ref<void(size_t)> body);

} // namespace vae

#endif // COMPILER_TARGET_CPU_SPLITMODULE_H
