// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/RandomRanges.h"

#include "compiler/calibrate/ModelHash.h"
#include "compiler/calibrate/TensorNames.h"
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/Pass/PassManager.h"

#include <set>

using namespace vae;
using namespace mlir;

static Range drawRange(std::mt19937 &random) {
  auto draw = [&](float most) {
    return std::uniform_real_distribution<float>(0, most)(random);
  };
  switch (random() % 4) {
  case 0: // after ReLU
    return {0, draw(6)};
  case 1: // the zero point is at an end
    return {-draw(6), 0};
  default:
    return {-draw(4), draw(4)};
  }
}

RangeTable test::drawRanges(const std::string &path,
                            const CompileOptions &options,
                            std::mt19937 &random) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  ImportOptions importOptions;
  importOptions.allowNonfinite = options.allowNonfinite;
  OwningOpRef<ModuleOp> module =
      importNativeModel(path, importOptions, context);
  RangeTable table;
  if (!module)
    return table;
  table.model = "random";
  table.hash = hashModel(*module);
  CompileOptions plain = options;
  plain.quantize = Quantize::None;
  PassManager pm(&context);
  buildSimplify(pm, plain);
  buildCompress(pm, plain);
  buildFuse(pm, plain);
  if (failed(pm.run(*module)))
    return table;
  std::set<std::string> names;
  for (auto entry : module->getOps<func::FuncOp>())
    if (entry->hasAttr(kEntryAttr))
      for (const auto &[value, name] : nameTensors(entry))
        names.insert(name);
  for (const std::string &name : names) {
    TensorRanges &tensor = table.tensors.emplace_back();
    tensor.name = name;
    tensor.ranges[options.rangeMethod] = drawRange(random);
  }
  return table;
}
