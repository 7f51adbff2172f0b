// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Resources.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace vae;

ResourceSet vae::collectResources(ModuleOp module) {
  ResourceSet resources;
  AttrTypeWalker walker;
  walker.addWalk([&](DenseResourceElementsAttr attr) {
    DenseResourceElementsHandle handle = attr.getRawHandle();
    if (handle.getBlob())
      resources.insert(handle.getResource());
  });
  module->walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
  return resources;
}

int64_t vae::getResourceBytes(const ResourceSet &resources) {
  int64_t bytes = 0;
  for (auto *entry : resources)
    bytes += entry->getBlob()->getData().size();
  return bytes;
}

void vae::releaseResources(const ResourceSet &resources,
                           const ResourceSet &kept) {
  for (auto *entry : resources)
    if (!kept.contains(entry))
      entry->setBlob(AsmResourceBlob());
}
