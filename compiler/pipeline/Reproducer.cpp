// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Reproducer.h"

#include "compiler/pipeline/Resources.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace vae;

/// Puts zeros in the place of all resources.
static void dropResources(ModuleOp module) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](DenseResourceElementsAttr attr) -> Attribute {
    Type type = attr.getType().getElementType();
    if (!type.isF32())
      return attr;
    return DenseElementsAttr::get(attr.getType(),
                                  FloatAttr::get(type, 0.0).getValue());
  });
  replacer.recursivelyReplaceElementsIn(module);
}

void Reproducer::record(ModuleOp original, StringRef passes) {
  module = original ? original.clone() : ModuleOp();
  pipeline = passes.str();
  omitted = false;
}

void Reproducer::write(llvm::raw_ostream &out) {
  if (getResourceBytes(collectResources(*module)) > kMaxWeightBytes) {
    dropResources(*module);
    omitted = true;
  }
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  AsmState state(*module, flags);
  state.attachResourcePrinter("mlir_reproducer",
                              [&](Operation *, AsmResourceBuilder &builder) {
                                builder.buildString("pipeline", pipeline);
                                builder.buildBool("disable_threading", true);
                                builder.buildBool("verify_each", true);
                              });
  module->print(out, state);
}
