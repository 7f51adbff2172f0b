// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as resources of a context.
#ifndef COMPILER_PIPELINE_RESOURCES_H
#define COMPILER_PIPELINE_RESOURCES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/SetVector.h"

namespace vae {

using ResourceSet =
    llvm::SetVector<mlir::DialectResourceBlobManager::BlobEntry *>;

/// The resources that a module refers to and that have data.
ResourceSet collectResources(mlir::ModuleOp module);

/// Bytes of their data.
int64_t getResourceBytes(const ResourceSet &resources);

/// Frees the data of those that are not in `kept`.
void releaseResources(const ResourceSet &resources, const ResourceSet &kept);

} // namespace vae

#endif // COMPILER_PIPELINE_RESOURCES_H
