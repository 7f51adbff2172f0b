// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several versions of the code in one library: docs/design/cpu-versions.md.
#ifndef COMPILER_CONVERSION_VERSIONS_H
#define COMPILER_CONVERSION_VERSIONS_H

#include "compiler/conversion/kernels/Tiling.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace vae {

/// On the module, if there are several versions: an array of dictionaries, from
/// the least to the most demanding one. Without it there is one version, and
/// nothing below is set.
inline constexpr llvm::StringLiteral kVersionsAttr = "vae.versions";
/// On functions: the name of the version that they belong to.
inline constexpr llvm::StringLiteral kVersionAttr = "vae.version";
/// In the dictionaries: the name, which no other version has.
inline constexpr llvm::StringLiteral kVersionNameAttr = "name";

/// The name of a function's version; empty if there is one only.
llvm::StringRef getVersionName(mlir::Operation *function);

/// What a symbol of a version is called: `name`, or with the version behind it.
std::string getVersionSymbol(llvm::StringRef name, llvm::StringRef version);
/// `name` of such a symbol.
llvm::StringRef dropVersion(llvm::StringRef symbol, llvm::StringRef version);

/// Adds what kernels need to know of a version's machine to its dictionary.
void setKernelTarget(mlir::NamedAttrList &version, const KernelTarget &target,
                     mlir::MLIRContext *context);

/// And back.
KernelTarget getKernelTarget(mlir::DictionaryAttr version);

/// The machine of a function's version; `other` if there is one version only.
/// Emits an error if the module does not describe the version.
llvm::FailureOr<KernelTarget> getKernelTarget(mlir::Operation *function,
                                              const KernelTarget &other);

} // namespace vae

#endif // COMPILER_CONVERSION_VERSIONS_H
