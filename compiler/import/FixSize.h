// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models of images of any size, or clips of any length, become models of one.
#ifndef COMPILER_IMPORT_FIXSIZE_H
#define COMPILER_IMPORT_FIXSIZE_H

#include "compiler/import/ModelDocument.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"

namespace vae {

/// Height and width in pixels.
struct ImageSize {
  int64_t height, width;
};

/// Gives the model's dynamic height and width these values. Errors, located
/// where the model declares them, name the nearest size that it can take.
llvm::LogicalResult fixSize(ModelDocument &document, ImageSize size,
                            mlir::MLIRContext &context);

/// Makes every `frames` images of a batch one clip, where the model takes a
/// batch for the frames of one. Fails for other models.
llvm::LogicalResult fixFrames(ModelDocument &document, int64_t frames,
                              mlir::MLIRContext &context);

} // namespace vae

#endif // COMPILER_IMPORT_FIXSIZE_H
