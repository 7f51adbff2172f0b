// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/LaunchSizes.h"

#include "compiler/conversion/Lowering.h"
#include "compiler/import/native/NativeImporter.h"
#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;
using namespace vae::test;

LaunchSizes::LaunchSizes(const std::string &path, const CompileOptions &options,
                         MLIRContext &context, std::string &error) {
  ImportOptions importOptions;
  importOptions.allowNonfinite = options.allowNonfinite;
  module = importNativeModel(path, importOptions, context);
  auto cpu = resolveTarget(options);
  if (!cpu) {
    error = llvm::toString(cpu.takeError());
    return;
  }
  PassManager pm(&context);
  buildSimplify(pm, options);
  buildCompress(pm, options);
  buildFuse(pm, options);
  buildKernels(pm, options, cpu->kernels);
  if (!module || failed(pm.run(*module)))
    error = path + ": a stage failed";
}

static int64_t evaluate(AffineExpr expr, ArrayRef<AffineExpr> values) {
  return cast<AffineConstantExpr>(expr.replaceSymbols(values)).getValue();
}

/// Kernels read whole vectors of a quantized tensor, beyond its last element
/// (vae-plan-memory leaves room for them).
static int64_t getBytes(Value tensor, int64_t elements) {
  constexpr int64_t kBeyond = 64;
  return elements * vae::getElementBytes(tensor.getType()) +
         (getQuantizedType(tensor) ? kBeyond : 0);
}

std::vector<LaunchBuffers> LaunchSizes::get(llvm::StringRef entry,
                                            ArrayRef<int64_t> symbols) const {
  ModuleOp model = module.get();
  SmallVector<AffineExpr> values; // the batch; others in units
  for (auto [symbol, value] : llvm::zip_equal(
           model->getAttrOfType<ArrayAttr>(kSymbolsAttr), symbols)) {
    int64_t multiple =
        cast<DictionaryAttr>(symbol).getAs<IntegerAttr>("multiple").getInt();
    values.push_back(
        getAffineConstantExpr(value / multiple, model.getContext()));
  }
  auto function = model.lookupSymbol<func::FuncOp>(entry);
  llvm::DenseMap<Value, int64_t> elements;
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    elements[argument] = evaluate(
        getNumElements(getArgumentDims(function, index), model.getContext()),
        values);
  std::vector<LaunchBuffers> launches;
  for (Operation &step : function.front()) {
    if (auto constant = dyn_cast<ConstantOp>(step)) {
      elements[constant.getResult()] =
          cast<ShapedType>(constant.getType()).getNumElements();
    } else if (auto alias = dyn_cast<kernel::AliasOp>(step)) {
      elements[alias.getResult()] = elements.lookup(alias.getSource());
    } else if (auto launch = dyn_cast<kernel::LaunchOp>(step)) {
      elements[launch.getResult()] =
          evaluate(launch.getElements().getResult(0), values);
      LaunchBuffers buffers;
      for (Value input : launch.getInputs())
        buffers.bytes.push_back(getBytes(input, elements.lookup(input)));
      buffers.bytes.push_back(
          getBytes(launch.getResult(), elements.lookup(launch.getResult())));
      buffers.sizes = launch.getSizes().getNumResults();
      launches.push_back(std::move(buffers));
    }
  }
  return launches;
}
