// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/CalibrationData.h"

#include "tools/data/Error.h"
#include "tools/data/Load.h"

#include "vae/vae_runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

#include <algorithm>
#include <filesystem>
#include <utility>

using namespace vae::tool;
using namespace vaedata;
namespace fs = std::filesystem;

/// The PNG files of a folder, in the order of their names; of a file, itself.
static std::vector<std::string> listFiles(const std::string &path) {
  std::error_code code;
  if (!fs::is_directory(path, code))
    return {path};
  std::vector<std::string> files;
  for (const auto &entry : fs::directory_iterator(path, code)) {
    std::string ending = entry.path().extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (ending == ".png")
      files.push_back(entry.path().string());
  }
  if (code)
    fail(path, ": expected a folder that can be read, found: ", code.message(),
         "; check the path");
  if (files.empty())
    fail(path, ": expected a folder of .png files, found none in it; convert "
               "the images, or name a file");
  std::sort(files.begin(), files.end());
  return files;
}

/// Numbers of `count` of `total` samples: as many as there are of each part of
/// the data, which may be sorted; clips stay whole.
static std::vector<size_t> choose(const vae_abi_model &model, size_t total,
                                  size_t count) {
  const vae_abi_symbol &batch = model.symbols[0];
  bool inOrder = batch.multiple > 1 || batch.flags & VAE_SYMBOL_WHOLE;
  std::vector<size_t> chosen(std::min(total, count));
  for (size_t i = 0; i < chosen.size(); ++i)
    chosen[i] = inOrder ? i : i * total / chosen.size();
  return chosen;
}

static void take(Data &data, const std::vector<size_t> &chosen) {
  if (data.examples == static_cast<int64_t>(chosen.size()))
    return;
  size_t size = data.values.size() / static_cast<size_t>(data.examples);
  std::vector<float> values;
  values.reserve(chosen.size() * size);
  for (size_t i : chosen)
    values.insert(values.end(), data.values.begin() + ptrdiff_t(i * size),
                  data.values.begin() + ptrdiff_t((i + 1) * size));
  data.values = std::move(values);
  data.examples = static_cast<int64_t>(chosen.size());
}

static Data loadFiles(const std::vector<std::string> &files,
                      const vae_abi_model &model, const vae_abi_tensor &tensor,
                      const CalibrationOptions &options, Sizes &sizes,
                      const WarnFn &warn) {
  Data data;
  bool warned = false;
  for (const std::string &file : files) {
    Array array = loadArray(file, getPreferredNames(tensor));
    if (!options.allowNonfinite)
      checkFinite(array);
    std::string outside = describeOutside(array, tensor);
    if (!outside.empty() && !std::exchange(warned, true))
      warn(outside);
    Data part = fitArray(std::move(array), model, tensor, sizes);
    data.examples += part.examples;
    data.values.insert(data.values.end(), part.values.begin(),
                       part.values.end());
  }
  return data;
}

/// Further inputs of the entry points, by name.
static std::map<std::string, const vae_abi_tensor *>
findConditions(const Entries &entries) {
  std::map<std::string, const vae_abi_tensor *> conditions;
  for (const vae_abi_entry *entry : entries)
    for (uint32_t i = 0; i < entry->num_inputs; ++i)
      if (entry->inputs[i].role == VAE_ROLE_CONDITION)
        conditions.emplace(entry->inputs[i].name, &entry->inputs[i]);
  return conditions;
}

static std::map<std::string, std::string>
parseNamed(const std::map<std::string, const vae_abi_tensor *> &conditions,
           const CalibrationOptions &options) {
  std::string names;
  std::map<std::string, std::string> files;
  for (const auto &[name, tensor] : conditions)
    names += (names.empty() ? "" : ", ") + name;
  for (const std::string &text : options.named) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals + 1 == text.size())
      throw UsageError(
          concat(options.inputOption, " ", text, ": expected NAME=FILE"));
    std::string name = text.substr(0, equals);
    if (!conditions.count(name))
      fail(options.inputOption, " ", text,
           ": expected a further input of the model",
           names.empty() ? ", which has none" : ": ", names, ", found '", name,
           "'; ", names.empty() ? "leave the option out" : "name one of these");
    files[name] = text.substr(equals + 1);
  }
  return files;
}

/// A class for each sample, drawn uniformly: 1 in its place, 0 in the others.
static Data drawLabels(const Shape &shape, const vae_abi_tensor &tensor,
                       uint32_t index, const CalibrationOptions &options) {
  if (shape.size() != 2)
    fail("expected a file for the input '", tensor.name, "' of shape ",
         formatShape(shape), ", found none; give it with ", options.inputOption,
         " ", tensor.name, "=FILE");
  Data data;
  data.examples = shape[0];
  auto classes = static_cast<uint32_t>(shape[1]);
  data.values.resize(static_cast<size_t>(shape[0]) * classes);
  for (int64_t i = 0; i < shape[0]; ++i) {
    // Draws of noise have streams from 0 on, labels from the other end.
    auto sample = static_cast<uint64_t>(i);
    uint32_t counter[4] = {static_cast<uint32_t>(sample),
                           static_cast<uint32_t>(sample >> 32), index,
                           UINT32_MAX};
    uint32_t key[2] = {static_cast<uint32_t>(options.seed),
                       static_cast<uint32_t>(options.seed >> 32)};
    uint32_t words[4];
    vae_philox4x32_10(counter, key, words);
    uint64_t label = (uint64_t(words[0]) * classes) >> 32;
    data.values[sample * classes + label] = 1;
  }
  return data;
}

static void addConditions(const vae_abi_model &model, const Entries &entries,
                          const std::vector<size_t> *chosen, int64_t total,
                          const CalibrationOptions &options, const WarnFn &warn,
                          CalibrationData &data) {
  auto conditions = findConditions(entries);
  auto files = parseNamed(conditions, options);
  uint32_t index = 0;
  for (const auto &[name, pointer] : conditions) {
    const vae_abi_tensor &tensor = *pointer;
    Data &condition = data.conditions[name];
    auto file = files.find(tensor.name);
    if (file == files.end()) {
      condition = drawLabels(getShape(model, tensor, data.sizes, data.samples),
                             tensor, index++, options);
      warn(concat("no file for the input '", tensor.name, "' (",
                  options.inputOption, "): labels are drawn uniformly"));
      continue;
    }
    condition =
        loadFiles({file->second}, model, tensor, options, data.sizes, warn);
    if (condition.examples == total && chosen)
      take(condition, *chosen);
    else if (condition.examples != 1 && condition.examples != data.samples)
      fail(file->second, ": input '", tensor.name, "': expected 1 or ", total,
           " examples, as many as the data has, found ", condition.examples,
           "; give one for each, or one for all");
  }
}

static void requireSizes(const vae_abi_model &model, const Sizes &sizes) {
  for (uint32_t s = 1; s < model.num_symbols; ++s)
    if (sizes[s] == 0)
      fail("the model takes any ", model.symbols[s].name,
           "; choose a size with --size HEIGHTxWIDTH");
}

CalibrationData vae::tool::loadCalibrationData(
    const vae_abi_model &model, const vae_abi_entry &entry,
    const CalibrationOptions &options, const WarnFn &warn) {
  CalibrationData data;
  data.sizes.resize(model.num_symbols, 0);
  std::vector<std::string> files;
  for (const std::string &path : options.data)
    for (const std::string &file : listFiles(path))
      files.push_back(file);
  const vae_abi_tensor *main = nullptr;
  for (uint32_t i = 0; i < entry.num_inputs && !main; ++i)
    if (entry.inputs[i].role == VAE_ROLE_INPUT ||
        entry.inputs[i].role == VAE_ROLE_LATENT)
      main = &entry.inputs[i];
  if (!main)
    throw std::runtime_error("no input for data");
  data.main = loadFiles(files, model, *main, options, data.sizes, warn);
  int64_t total = data.main.examples;
  auto chosen = choose(model, static_cast<size_t>(total),
                       static_cast<size_t>(options.samples.value_or(total)));
  take(data.main, chosen);
  data.samples = data.main.examples;
  requireSizes(model, data.sizes);
  addConditions(model, {&entry}, &chosen, total, options, warn, data);
  return data;
}

CalibrationData vae::tool::drawCalibrationData(
    const vae_abi_model &model, const Entries &entries, int64_t samples,
    const CalibrationOptions &options, const WarnFn &warn) {
  CalibrationData data;
  data.samples = samples;
  data.sizes.resize(model.num_symbols, 0);
  requireSizes(model, data.sizes);
  addConditions(model, entries, nullptr, samples, options, warn, data);
  return data;
}

std::string
vae::tool::chooseDataEntry(const std::vector<std::string> &wanted,
                           const std::vector<std::string> &entries) {
  const std::vector<std::string> choices = {"reconstruct_sample", "reconstruct",
                                            "encode", "decode"};
  auto contains = [](const std::vector<std::string> &names,
                     const std::string &name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (wanted.size() == 1 && contains(choices, wanted[0]) &&
      contains(entries, wanted[0]))
    return wanted[0];
  for (const std::string &name : choices)
    if (contains(entries, name))
      return name;
  return "";
}

std::string vae::tool::hashData(const CalibrationData &data) {
  llvm::SHA256 sha;
  auto add = [&](const std::vector<float> &values) {
    sha.update(llvm::StringRef(reinterpret_cast<const char *>(values.data()),
                               values.size() * sizeof(float)));
  };
  add(data.main.values);
  for (const auto &[name, condition] : data.conditions)
    add(condition.values);
  return llvm::toHex(sha.final(), /*LowerCase=*/true);
}
