// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/WriteMasks.h"

#include "compiler/import/Json.h"
#include "compiler/pipeline/Files.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/WeightSelection.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

#include <cmath>

using namespace mlir;
using namespace vae;

double MaskSchedule::getPart(int64_t step) const {
  double left =
      1 - static_cast<double>(step - begin) / static_cast<double>(end - begin);
  return 1 - std::pow(left, 3);
}

static WeightRequest getRequest(const CompileOptions &options) {
  WeightRequest request;
  for (const WeightTarget &target : options.pruneWeights)
    if (target.layer.empty())
      request.all = target.pattern;
    else
      request.layers.push_back({target.layer, target.pattern});
  request.global = options.pruneGlobally;
  request.norms = options.inputNorms;
  return request;
}

/// The mask in the order and shape of the tensor that a constant is a view of.
static std::vector<uint8_t> undoView(const WeightStore::Use &use,
                                     ArrayRef<uint8_t> kept) {
  std::vector<uint8_t> result(kept.size());
  const uint8_t *next = kept.data();
  visitPermuted(use.shape, use.view.permutation,
                [&](int64_t offset) { result[offset] = *next++; });
  return result;
}

/// Names of the constants of layers' weights.
static llvm::StringMap<std::string> getTensors(ModuleOp module) {
  llvm::StringMap<std::string> names;
  UnitFlow flow(module);
  for (const LayerUnits &layer : flow.getLayers()) {
    auto op = cast<PrunableOpInterface>(layer.op);
    if (ConstantOp weight = getConstant(op->getOperand(op.getWeightIndex())))
      names[layer.name] = getWeightName(weight.getValue()).str();
  }
  return names;
}

FailureOr<std::vector<MaskTensor>>
vae::selectMasks(ModuleOp module, const CompileOptions &options,
                 const WeightStore::Views &views) {
  llvm::StringMap<std::string> tensors = getTensors(module);
  WeightRequest request = getRequest(options);
  std::vector<MaskTensor> masks;
  auto add = [&](const std::string &prefix) -> LogicalResult {
    auto selection = selectWeights(module, request);
    if (failed(selection))
      return failure();
    for (WeightMask &mask : selection->masks) {
      MaskTensor &tensor = masks.emplace_back();
      const std::string &name = tensors[mask.layer];
      auto uses = views.find(name);
      bool whole =
          uses != views.end() && uses->second.size() == 1 &&
          ArrayRef<int64_t>(uses->second[0].view.shape) == ArrayRef(mask.shape);
      tensor.name = prefix + (whole ? name : mask.layer + ".weight");
      tensor.shape.assign(mask.shape.begin(), mask.shape.end());
      if (whole) {
        tensor.shape = uses->second[0].shape;
        tensor.kept = undoView(uses->second[0], mask.kept);
      } else {
        tensor.kept = std::move(mask.kept);
      }
    }
    return success();
  };
  if (!options.maskSchedule) {
    if (failed(add("")))
      return failure();
    return masks;
  }
  const MaskSchedule &schedule = *options.maskSchedule;
  for (int64_t step = schedule.begin; step <= schedule.end;
       step += schedule.every) {
    request.part = schedule.getPart(step);
    if (failed(add(std::to_string(step) + "/")))
      return failure();
  }
  return masks;
}

std::string vae::getSchedulePath(StringRef masks) {
  SmallString<128> path(masks);
  llvm::sys::path::replace_extension(path, "json");
  return path.str().str();
}

static JsonValue text(StringRef value) {
  return JsonValue::makeString(value, {});
}

static JsonValue describeSchedule(ArrayRef<MaskTensor> masks,
                                  const CompileOptions &options,
                                  StringRef model, StringRef hash) {
  const MaskSchedule &schedule = *options.maskSchedule;
  JsonValue json = JsonValue::makeObject({});
  json.set("format", text("vaec-masks"));
  json.set("version", JsonValue::makeInteger(1, {}));
  json.set("model", text(model));
  json.set("hash", text(hash));
  json.set("masks", text(llvm::sys::path::filename(options.writeMasks)));
  json.set("begin", JsonValue::makeInteger(schedule.begin, {}));
  json.set("end", JsonValue::makeInteger(schedule.end, {}));
  json.set("every", JsonValue::makeInteger(schedule.every, {}));
  JsonValue steps = JsonValue::makeArray({});
  for (int64_t step = schedule.begin; step <= schedule.end;
       step += schedule.every) {
    std::string prefix = std::to_string(step) + "/";
    JsonValue row = JsonValue::makeObject({});
    row.set("step", JsonValue::makeInteger(step, {}));
    row.set("part", JsonValue::makeNumber(schedule.getPart(step), {}));
    JsonValue sparsity = JsonValue::makeObject({});
    for (const MaskTensor &mask : masks) {
      StringRef name = mask.name;
      if (!name.consume_front(prefix) || mask.kept.empty())
        continue;
      auto zeros = static_cast<double>(llvm::count(mask.kept, 0));
      if (!sparsity.find(name))
        sparsity.set(name,
                     JsonValue::makeNumber(
                         zeros / static_cast<double>(mask.kept.size()), {}));
    }
    row.set("sparsity", std::move(sparsity));
    steps.items.push_back(std::move(row));
  }
  json.set("steps", std::move(steps));
  return json;
}

llvm::Error vae::writeMasks(ArrayRef<MaskTensor> masks,
                            const CompileOptions &options, StringRef model,
                            StringRef hash, std::string &failed) {
  std::vector<WeightTensor> tensors;
  llvm::StringSet<> names; // layers may share a tensor
  for (const MaskTensor &mask : masks) {
    if (!names.insert(mask.name).second)
      continue;
    WeightTensor &tensor = tensors.emplace_back();
    tensor.name = mask.name;
    tensor.dtype = "BOOL";
    tensor.shape = mask.shape;
    tensor.data = {reinterpret_cast<const char *>(mask.kept.data()),
                   mask.kept.size()};
  }
  std::vector<const WeightTensor *> pointers;
  for (const WeightTensor &tensor : tensors)
    pointers.push_back(&tensor);
  failed = options.writeMasks;
  if (llvm::Error error = writeFile(
          options.writeMasks, options.removeFilesOnSignal, [&](auto &out) {
            writeSafetensors(pointers, out);
            return llvm::Error::success();
          }))
    return error;
  if (!options.maskSchedule)
    return llvm::Error::success();
  failed = getSchedulePath(options.writeMasks);
  return writeFile(failed, options.removeFilesOnSignal, [&](auto &out) {
    printJson(describeSchedule(masks, options, model, hash), out);
    return llvm::Error::success();
  });
}
