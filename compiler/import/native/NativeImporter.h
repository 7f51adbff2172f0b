// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports models of the native format (docs/model-format.md).
#ifndef COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H
#define COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H

#include "compiler/import/ModelDocument.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace vae {

struct ImportOptions {
  /// Accept weights that hold NaN or infinity.
  bool allowNonfinite = false;
  /// Verify the module that was built. A caller who does it can tell a bug of
  /// the importer from an error in the model.
  bool verify = true;
};

/// Reads the text of a model file. Errors go to the context's diagnostic
/// engine, located in the file.
llvm::LogicalResult readNativeDocument(llvm::StringRef path,
                                       mlir::MLIRContext &context,
                                       ModelDocument &document);

/// Builds a model from its description, and adds the weight files that this
/// names. Loads the dialects it needs into the context. Errors go to the
/// context's diagnostic engine, located in the document's files; then the
/// result is null.
///
/// The module holds the private functions @encoder and @decoder and one
/// function per entry point. Its weights alias the mapped weight files, which
/// stay mapped as long as the context lives.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(ModelDocument &document,
                                             const ImportOptions &options,
                                             mlir::MLIRContext &context);

/// Both of these.
mlir::OwningOpRef<mlir::ModuleOp>
importNativeModel(llvm::StringRef path, const ImportOptions &options,
                  mlir::MLIRContext &context);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H
