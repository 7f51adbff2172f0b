// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Results.h"

#include "tools/data/Npy.h"
#include "tools/data/Npz.h"
#include "tools/vae-run/Error.h"
#include "tools/vae-run/Grid.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace vaerun;

static const char *getEnding(FileKind kind) {
  switch (kind) {
  case FileKind::Npy:
    return ".npy";
  case FileKind::Npz:
    return ".npz";
  case FileKind::Png:
    return ".png";
  }
  return "";
}

Results::Results(const std::string &path,
                 const std::vector<FileKind> &allowed) {
  if (path.empty())
    return;
  std::string endings;
  bool known = false;
  for (FileKind each : allowed) {
    std::string ending = getEnding(each);
    endings += (endings.empty() ? "" : ", ") + ending;
    if (path.size() > ending.size() &&
        path.compare(path.size() - ending.size(), ending.size(), ending) == 0) {
      kind = each;
      known = true;
    }
  }
  if (!known)
    throw UsageError(
        concat("-o ", path, ": expected a file name that ends in ", endings));
  file.emplace(path);
}

void Results::checkImage(const vae_abi_tensor &tensor,
                         const Shape &shape) const {
  if (isImage())
    findImage(shape, tensor.layout, tensor.name);
}

std::optional<std::pair<float, float>>
vaerun::findRange(const vae_abi_tensor &tensor, const vae_abi_model &model) {
  if (tensor.has_range)
    return std::pair(tensor.range_min, tensor.range_max);
  if (tensor.role == VAE_ROLE_MEAN &&
      std::strcmp(model.likelihood, "bernoulli") == 0)
    return std::pair(0.0f, 1.0f);
  return std::nullopt;
}

/// The values that become black and white.
static std::pair<float, float> getRange(const Output &output,
                                        const vae_abi_model &model) {
  if (auto range = findRange(*output.tensor, model))
    return *range;
  float low = INFINITY, high = -INFINITY;
  for (float value : output.values)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (low > high)
    low = high = 0;
  warn("'", output.tensor->name,
       "' has no declared range: drawn from its smallest "
       "value, ",
       low, ", to its largest, ", high);
  return {low, high};
}

std::string Results::draw(const Output &output, const Companion &companion,
                          const vae_abi_model &model) const {
  const vae_abi_tensor &tensor = *output.tensor;
  ImageLayout layout = findImage(output.shape, tensor.layout, tensor.name);
  auto [low, high] = getRange(output, model);
  std::vector<const float *> images;
  if (companion.data) {
    // The mean of p(x|z) has the shape and layout of x.
    if (companion.data->values.size() != output.values.size() ||
        std::strcmp(companion.tensor->layout, tensor.layout) != 0)
      throw std::runtime_error("the input and its mean differ in layout");
    images.push_back(companion.data->values.data());
  }
  images.push_back(output.values.data());
  return formatPng(drawGrid(images, output.shape[0], layout, low, high));
}

void Results::write(const std::vector<Output> &outputs, size_t main,
                    const Companion &companion, const vae_abi_model &model,
                    Report &report) {
  if (!file) {
    report.json["output"] = nullptr;
    report.json["arrays"] = nlohmann::ordered_json::array();
    return;
  }
  std::vector<NamedArray> arrays;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (kind == FileKind::Npz || i == main)
      arrays.push_back(
          {outputs[i].tensor->name, outputs[i].shape, &outputs[i].values});
  if (kind == FileKind::Npy && outputs.size() > 1)
    warn(file->getPath(), " holds '", arrays[0].name,
         "' only; write .npz for all ", outputs.size(), " arrays");
  file->commit(kind == FileKind::Npz ? formatNpz(arrays)
               : kind == FileKind::Npy
                   ? formatNpy(arrays[0].shape, *arrays[0].values)
                   : draw(outputs[main], companion, model));
  report.json["output"] = file->getPath();
  report.json["arrays"] = nlohmann::ordered_json::array();
  report.text << file->getPath() << ":";
  for (const NamedArray &array : arrays) {
    report.json["arrays"].push_back(
        {{"name", array.name}, {"shape", array.shape}});
    report.text << (&array == arrays.data() ? " " : ", ") << array.name << " "
                << formatShape(array.shape);
  }
  report.text << "\n";
}
