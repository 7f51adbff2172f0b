// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/CalibrationRun.h"

#include "tools/data/Error.h"
#include "tools/vaec/Batches.h"

#include <algorithm>
#include <cstring>

using namespace vae;
using namespace vae::tool;
using namespace vaedata;

/// Noise is the latent where nothing is computed of it before the decoder.
bool CalibrationRun::isNoiseLatent(const vae_abi_entry &entry) const {
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    if (entry.inputs[i].role == VAE_ROLE_INPUT)
      return false;
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    if (getName(entry, entry.outputs[i]) == kLatentName)
      return false;
  return true;
}

std::string CalibrationRun::getName(const vae_abi_entry &entry,
                                    const vae_abi_tensor &tensor) const {
  if (tensor.role == VAE_ROLE_NOISE)
    return isNoiseLatent(entry) ? kLatentName : "";
  auto results = names.find(entry.name);
  if (results == names.end())
    return tensor.name;
  auto name = results->second.find(tensor.name);
  return name == results->second.end() ? tensor.name : name->second;
}

void CalibrationRun::add(const vae_abi_entry &entry,
                         const vae_abi_tensor &tensor, const Values &values,
                         int64_t count, Calibrator &calibrator) const {
  std::string name = getName(entry, tensor);
  if (name.empty())
    return;
  Shape shape = getShape(model.getTable(), tensor, data.sizes, count);
  size_t channel = std::strcspn(tensor.layout, "C");
  bool hasChannels = channel < shape.size();
  int64_t inner = 1;
  for (size_t d = channel + 1; d < shape.size(); ++d)
    inner *= shape[d];
  calibrator.add(name, values, hasChannels ? shape[channel] : 0, inner);
}

CalibrationRun::Values CalibrationRun::runEntry(const vae_abi_entry &entry,
                                                int64_t begin, int64_t count,
                                                const Values *generated,
                                                const SeeTensorFn &see) {
  const vae_abi_model &table = model.getTable();
  std::vector<Values> values(entry.num_inputs + entry.num_outputs);
  std::vector<Shape> shapes(values.size());
  std::vector<vae_tensor_t> inputs, outputs;
  for (uint32_t i = 0; i < values.size(); ++i) {
    bool isInput = i < entry.num_inputs;
    const vae_abi_tensor &tensor =
        isInput ? entry.inputs[i] : entry.outputs[i - entry.num_inputs];
    requireF32(tensor);
    shapes[i] = getShape(table, tensor, data.sizes, count);
    auto size = static_cast<size_t>(countElements(shapes[i]).value_or(0));
    if (!isInput) {
      values[i].resize(size);
    } else if (tensor.role == VAE_ROLE_NOISE) {
      values[i].resize(size);
      // As the runtime generates it: indexed by element.
      vae_noise_normal(options.seed, /*stream=*/0,
                       static_cast<uint64_t>(begin) * (size / count), size,
                       values[i].data());
    } else if (tensor.role == VAE_ROLE_CONDITION) {
      values[i] = sliceExamples(data.conditions.at(tensor.name), begin, count);
    } else {
      values[i] =
          generated ? *generated : sliceExamples(data.main, begin, count);
    }
    if (values[i].size() != size)
      fail("'", tensor.name, "' of '", entry.name, "': expected ", size,
           " numbers, found ", values[i].size(),
           ": the decoder's images are no data of the encoder; give data with ",
           options.dataOption);
    (isInput ? inputs : outputs)
        .push_back({values[i].data(), VAE_DTYPE_F32,
                    static_cast<uint32_t>(shapes[i].size()), shapes[i].data()});
  }
  session.run(entry, VAE_RUN_OPTIONS_INIT, inputs, outputs);
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    see(entry, entry.inputs[i], values[i], begin, count);
  Values image;
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    Values &output = values[entry.num_inputs + i];
    see(entry, entry.outputs[i], output, begin, count);
    if (entry.outputs[i].role == VAE_ROLE_MEAN)
      image = std::move(output);
  }
  return image;
}

void CalibrationRun::runOnce(const vae_abi_entry &first,
                             const vae_abi_entry *second, Progress &progress,
                             const SeeTensorFn &see) {
  int64_t batch = chooseBatch(model.getTable(), first, data);
  if (second)
    batch = std::min(batch, chooseBatch(model.getTable(), *second, data));
  Sizes sizes = data.sizes;
  sizes[0] = batch;
  session.prepare(first, sizes);
  if (second)
    session.prepare(*second, sizes);
  for (int64_t begin = 0; begin < data.samples; begin += batch) {
    int64_t count = std::min(batch, data.samples - begin);
    Values image = runEntry(first, begin, count, nullptr, see);
    if (second)
      runEntry(*second, begin, count, &image, see);
    progress.advance(count);
  }
}

void CalibrationRun::run(const vae_abi_entry &first,
                         const vae_abi_entry *second, Calibrator &calibrator) {
  Progress progress(2 * data.samples);
  auto see = [&](const vae_abi_entry &entry, const vae_abi_tensor &tensor,
                 const Values &values, int64_t, int64_t count) {
    add(entry, tensor, values, count, calibrator);
  };
  for (unsigned pass = 0; pass < 2; ++pass) {
    if (pass == 1)
      calibrator.beginSecondPass();
    runOnce(first, second, progress, see);
  }
}
