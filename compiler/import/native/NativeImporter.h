// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports models of the native format (docs/model-format.md).
#ifndef COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H
#define COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace vae {

struct ImportOptions {
  /// Accept weights that hold NaN or infinity.
  bool allowNonfinite = false;
  /// Verify the module that was built. A caller who does it can tell a bug of
  /// the importer from an error in the model.
  bool verify = true;
};

/// Reads a model: a JSON file and the weight files that it names. Loads the
/// dialects it needs into the context. Errors go to the context's diagnostic
/// engine, located in the JSON file; then the result is null.
///
/// The module holds the private functions @encoder and @decoder and one
/// function per entry point. Its weights alias the mapped weight files, which
/// stay mapped as long as the context lives. `weightFiles` receives the paths
/// of the weight files.
mlir::OwningOpRef<mlir::ModuleOp>
importNativeModel(llvm::StringRef path, const ImportOptions &options,
                  mlir::MLIRContext &context,
                  std::vector<std::string> *weightFiles = nullptr);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_NATIVEIMPORTER_H
