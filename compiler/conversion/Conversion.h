// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that leave the vae dialect, in the order in which they run:
// vae-assign-layout, vae-quantize, vae-choose-algorithm, vae-assign-weights,
// vae-assign-precision, vae-assign-storage, vae-assign-sparsity,
// vae-add-versions,
// convert-vae-to-kernel, kernel-plan-memory, convert-kernel-to-llvm.
#ifndef COMPILER_CONVERSION_CONVERSION_H
#define COMPILER_CONVERSION_CONVERSION_H

#include "compiler/conversion/kernels/Emitter.h"
#include "mlir/Pass/Pass.h"

namespace vae {
#define GEN_PASS_DECL
#include "compiler/conversion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/conversion/Passes.h.inc"

/// The kernel pass for a target. `deterministic`: the same bits for any batch.
std::unique_ptr<mlir::Pass>
createConvertVaeToKernelPass(KernelTarget target, bool deterministic = false,
                             bool releaseWeights = false);

/// Adds the upstream passes from scf, vector, memref, math and arith down to
/// the LLVM dialect.
void populateLowerToLLVM(mlir::OpPassManager &pm);

/// Prefix of the functions that an entry point becomes: `<prefix><entry>`,
/// with suffixes `.arena` and `.flops`.
inline constexpr llvm::StringLiteral kEntryPrefix = "vae_entry_";
/// Symbol of the weights in a library.
inline constexpr llvm::StringLiteral kWeightsSymbol = "vae_weights";
/// Attribute of the module: the weights in the order of their offsets.
inline constexpr llvm::StringLiteral kWeightsAttr = "vae.weights";
/// Alignment of each tensor within the weights.
inline constexpr int64_t kWeightAlignment = 64;
} // namespace vae

#endif // COMPILER_CONVERSION_CONVERSION_H
