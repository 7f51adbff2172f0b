// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out what a model is, and reads it in the terms of the native format.
#ifndef COMPILER_IMPORT_IMPORTER_H
#define COMPILER_IMPORT_IMPORTER_H

#include "compiler/import/ModelDocument.h"
#include "compiler/import/ModelFiles.h"
#include "mlir/IR/MLIRContext.h"

namespace vae {

/// Reads the model at `path`, or the parts that `files` names. The content
/// decides, not the file's name:
///   a zip archive, HDF5, or JSON with "class_name"   Keras
///   a folder with config.json                        diffusers
///   anything else                                    the native format
/// Errors go to the context's diagnostic engine. buildModel builds the result.
llvm::LogicalResult readModelDocument(llvm::StringRef path,
                                      const ModelFiles &files,
                                      mlir::MLIRContext &context,
                                      ModelDocument &document);

} // namespace vae

#endif // COMPILER_IMPORT_IMPORTER_H
