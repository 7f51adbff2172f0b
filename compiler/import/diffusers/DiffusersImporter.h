// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folders in which the Hugging Face library diffusers saves an autoencoder:
// config.json and safetensors files.
#ifndef COMPILER_IMPORT_DIFFUSERS_DIFFUSERSIMPORTER_H
#define COMPILER_IMPORT_DIFFUSERS_DIFFUSERSIMPORTER_H

#include "compiler/import/ModelDocument.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"

namespace vae {

/// Reads the folder in the terms of the native format. Layers have the names
/// of the library's modules, and so their tensors those of the file. Errors go
/// to the context's diagnostic engine, located in config.json.
llvm::LogicalResult readDiffusersFolder(llvm::StringRef folder,
                                        mlir::MLIRContext &context,
                                        ModelDocument &document);

} // namespace vae

#endif // COMPILER_IMPORT_DIFFUSERS_DIFFUSERSIMPORTER_H
