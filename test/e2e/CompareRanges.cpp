// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares a table that vaec calibrate wrote with the ranges that the reference
// interpreter gives.
//
//   compare-ranges MODEL.json TABLE DATA
//
// DATA is all that the table was made of, with seed 0, for a model that takes
// noise. Exit code 0 if the ranges agree, 1 if not.
#include "compiler/calibrate/Calibrator.h"
#include "compiler/calibrate/ModelHash.h"
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/Vae.h"
#include "tools/data/Load.h"

#include "vae/vae_runtime.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace vae;
using reference::Tensor;

static constexpr llvm::StringLiteral kEntry = "reconstruct_sample";

static int fail(const llvm::Twine &message) {
  llvm::errs() << "compare-ranges: error: " << message << "\n";
  return 1;
}

static void addTensor(llvm::StringRef name, const Tensor &tensor,
                      Calibrator &calibrator) {
  int64_t inner = 1;
  for (int64_t size : llvm::ArrayRef(tensor.shape).drop_front(2))
    inner *= size;
  calibrator.add(name, tensor.data, tensor.shape[1], inner);
}

/// What a table calls the result of an operation.
static std::string getName(mlir::Operation *op) {
  std::string name = getLayerNames(op);
  if (name == kEntry)
    return "z";
  llvm::StringRef rest = name;
  return rest.consume_back(("+" + kEntry).str()) ? rest.str() + "+mean" : name;
}

/// What a table calls the results of a function's operations: what is computed
/// last for a layer has its name, the steps before have "#1", "#2" behind it.
static llvm::DenseMap<mlir::Operation *, std::string>
chooseNames(mlir::func::FuncOp function) {
  llvm::DenseMap<mlir::Operation *, std::string> names;
  llvm::StringMap<unsigned> steps;
  for (mlir::Operation &op :
       llvm::reverse(function.front().without_terminator())) {
    if (mlir::isa<ConstantOp, ConvertLayoutOp>(op))
      continue;
    std::string name = getName(&op);
    unsigned step = steps[name]++;
    names[&op] = step ? name + "#" + std::to_string(step) : name;
  }
  return names;
}

/// The reference's ranges.
static llvm::Error interpret(mlir::func::FuncOp function,
                             llvm::ArrayRef<Tensor> inputs,
                             Calibrator &calibrator) {
  auto names = chooseNames(function);
  for (unsigned pass = 0; pass < 2; ++pass) {
    if (pass == 1)
      calibrator.beginSecondPass();
    addTensor("x", inputs[0], calibrator);
    auto results = reference::interpret(
        function, inputs,
        [&](mlir::Operation *op, unsigned, const Tensor &value) {
          if (auto name = names.find(op); name != names.end())
            addTensor(name->second, value, calibrator);
        });
    if (!results)
      return results.takeError();
  }
  return llvm::Error::success();
}

/// The largest difference of two ranges' ends.
static double compare(const Range &a, const Range &b) {
  return std::max(std::fabs(double(a.low) - b.low),
                  std::fabs(double(a.high) - b.high));
}

/// The ranges that follow from the data without a choice. `bins`: the accuracy
/// of percentiles.
static std::string compare(const Ranges &found, const Ranges &expected,
                           double bins) {
  const Range &all = expected[RangeMethod::MinMax];
  double size = std::max(std::fabs(all.low), std::fabs(all.high));
  for (RangeMethod method : {RangeMethod::MinMax, RangeMethod::Percentile999,
                             RangeMethod::Percentile9999}) {
    double limit = (method == RangeMethod::MinMax ? 1e-4 : 2 / bins) * size;
    double difference = compare(found[method], expected[method]);
    if (!(difference <= limit + 1e-7))
      return std::string(kRangeMethodNames[static_cast<int>(method)]) +
             " differs by " + std::to_string(difference) + ", limit " +
             std::to_string(limit);
  }
  return "";
}

static int compareTables(const RangeTable &table,
                         llvm::ArrayRef<TensorRanges> expected) {
  unsigned compared = 0;
  for (const TensorRanges &tensor : expected) {
    const TensorRanges *found = table.find(tensor.name);
    if (!found)
      continue; // an output, by another name
    ++compared;
    if (found->count != tensor.count ||
        found->channels.size() != tensor.channels.size())
      return fail("'" + tensor.name + "' has another size");
    std::string wrong = compare(found->ranges, tensor.ranges, 4096);
    for (size_t c = 0; wrong.empty() && c < tensor.channels.size(); ++c)
      wrong = compare(found->channels[c], tensor.channels[c], 1024);
    if (!wrong.empty())
      return fail("'" + tensor.name + "': " + wrong);
  }
  // All but the output are inputs and results of operations.
  for (const TensorRanges &tensor : table.tensors)
    if (tensor.name != "output:y" &&
        llvm::none_of(expected, [&](const TensorRanges &other) {
          return other.name == tensor.name;
        }))
      return fail("'" + tensor.name + "' is no result of an operation");
  llvm::outs() << table.model << ": " << compared << " tensors agree\n";
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  auto text = llvm::MemoryBuffer::getFile(argv[2]);
  if (!text)
    return fail(argv[2]);
  auto table = parseRangeTable((*text)->getBuffer(), argv[2]);
  if (!table)
    return fail(llvm::toString(table.takeError()));

  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = importNativeModel(argv[1], ImportOptions(), context);
  if (!module)
    return 1;
  if (llvm::Error error =
          checkRangeTable(*table, argv[2], table->model, hashModel(*module)))
    return fail(llvm::toString(std::move(error)));
  mlir::PassManager pm(&context);
  CompileOptions options;
  options.exactConv = true;
  buildSimplify(pm, options);
  buildCompress(pm, options);
  buildFuse(pm, options);
  if (failed(pm.run(*module)))
    return fail("a stage failed");

  vaedata::Array data = vaedata::loadArray(argv[3], {});
  for (float &value : data.values)
    value /= 255;
  auto function = module->lookupSymbol<mlir::func::FuncOp>(kEntry);
  int64_t samples = data.shape[0];
  auto latent =
      mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[1])
          .getDimSize(1);
  Tensor x = {{samples, 1, 28, 28}, std::move(data.values)};
  Tensor noise = {{samples, latent},
                  std::vector<float>(static_cast<size_t>(samples * latent))};
  vae_noise_normal(0, 0, 0, noise.data.size(), noise.data.data());
  Calibrator calibrator;
  if (llvm::Error error = interpret(function, {x, noise}, calibrator))
    return fail(llvm::toString(std::move(error)));
  return compareTables(*table, calibrator.finish());
}
