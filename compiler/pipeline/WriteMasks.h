// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks for training: docs/pruning-weights.md, "Masks". Private to the
// pipeline.
#ifndef COMPILER_PIPELINE_WRITEMASKS_H
#define COMPILER_PIPELINE_WRITEMASKS_H

#include "compiler/import/Weights.h"
#include "compiler/pipeline/Options.h"
#include "mlir/IR/BuiltinOps.h"

namespace vae {

/// A tensor of a safetensors file: a byte for each weight, 1 if it stays.
struct MaskTensor {
  std::string name;
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<uint8_t> kept;
};

/// The masks of `options.pruneWeights` on the module before the stage compress,
/// one for each step of the schedule if there is one. A tensor has the name and
/// the shape of the model's; with a schedule, the step and '/' before the name.
/// Where a layer's weight is no tensor of a file, or several layers read parts
/// of one, it is LAYER.weight, in the shape of the layer's operand. Errors are
/// those of selectWeights.
llvm::FailureOr<std::vector<MaskTensor>>
selectMasks(mlir::ModuleOp module, const CompileOptions &options,
            const WeightStore::Views &views);

/// Writes `options.writeMasks`, and with a schedule the JSON file beside it.
/// `failed` is the file of an error.
llvm::Error writeMasks(llvm::ArrayRef<MaskTensor> masks,
                       const CompileOptions &options, llvm::StringRef model,
                       llvm::StringRef hash, std::string &failed);

/// That file: as the masks', with the ending json.
std::string getSchedulePath(llvm::StringRef masks);

} // namespace vae

#endif // COMPILER_PIPELINE_WRITEMASKS_H
