// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Prepare.h"

#include "tools/data/Load.h"
#include "tools/vae-run/Error.h"

#include <algorithm>
#include <cstring>
#include <map>

using namespace vaerun;

/// Sizes beyond this are mistakes, and would overflow products.
static constexpr int64_t kMostSize = int64_t(1) << 31;

static int64_t parseSize(const std::string &text, const std::string &option) {
  bool digits = !text.empty() && text.size() < 12 &&
                std::all_of(
                    text.begin(), text.end(),
                    [](char c) { return c >= '0' && c <= '9'; });
  int64_t value = digits ? std::stoll(text) : 0;
  if (value < 1 || value > kMostSize)
    fail(option, ": expected a size from 1 to 2^31, found '", text,
         "'; write for example --size 32x48 or --dim height=32");
  return value;
}

static void setSize(const vae_abi_model &model, Sizes &sizes,
                    const std::string &name, int64_t value,
                    const std::string &option) {
  std::string names;
  for (uint32_t s = 1; s < model.num_symbols; ++s) {
    if (name == model.symbols[s].name) {
      sizes[s] = value;
      return;
    }
    names += concat(names.empty() ? "" : ", ", model.symbols[s].name);
  }
  fail(option, ": expected a dynamic dimension of the model",
       names.empty() ? ", which has none" : ": ", names, ", found '", name,
       "'; ", names.empty() ? "leave the option out" : "name one of these");
}

Sizes vaerun::parseSizes(const vae_abi_model &model, const Options &options) {
  Sizes sizes(model.num_symbols, 0);
  if (!options.size.empty()) {
    std::string option = "--size " + options.size;
    size_t x = options.size.find('x');
    if (x == std::string::npos)
      fail(option, ": expected HEIGHTxWIDTH; write for example --size 32x48");
    setSize(model, sizes, "height",
            parseSize(options.size.substr(0, x), option), option);
    setSize(model, sizes, "width",
            parseSize(options.size.substr(x + 1), option), option);
  }
  for (const std::string &text : options.dims) {
    std::string option = "--dim " + text;
    size_t equals = text.find('=');
    if (equals == std::string::npos)
      fail(option, ": expected NAME=SIZE; write for example --dim height=32");
    setSize(model, sizes, text.substr(0, equals),
            parseSize(text.substr(equals + 1), option), option);
  }
  checkSizes(model, sizes);
  return sizes;
}

void vaerun::requireSizes(const vae_abi_model &model, const Sizes &sizes) {
  for (uint32_t s = 1; s < model.num_symbols; ++s)
    if (sizes[s] == 0)
      fail("expected a size for the dynamic dimension '", model.symbols[s].name,
           "', found none; give it with --dim ", model.symbols[s].name, "=SIZE",
           std::strcmp(model.symbols[s].name, "frames") == 0
               ? ""
               : ", or --size HEIGHTxWIDTH");
  checkSizes(model, sizes);
}

std::optional<uint32_t> vaerun::findInput(const vae_abi_entry &entry,
                                          int32_t role) {
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    if (entry.inputs[i].role == role)
      return i;
  return std::nullopt;
}

void vaerun::checkChunk(const Options &options) {
  if (options.chunk && *options.chunk < 1)
    throw UsageError(concat("--batch: expected at least 1 example at a time, "
                            "found ",
                            *options.chunk));
}

/// All files, one after the other, as the data of one tensor.
static Data loadData(const std::vector<std::string> &files,
                     const vae_abi_model &model, const vae_abi_tensor &tensor,
                     const Options &options, Sizes &sizes) {
  Data data;
  for (const std::string &file : files) {
    Array array = loadArray(file, getPreferredNames(tensor));
    if (!options.allowNonfinite)
      checkFinite(array);
    if (std::string text = describeOutside(array, tensor); !text.empty())
      warn(text);
    Data part = fitArray(std::move(array), model, tensor, sizes);
    data.examples += part.examples;
    if (data.values.empty())
      data.values = std::move(part.values);
    else
      data.values.insert(data.values.end(), part.values.begin(),
                         part.values.end());
  }
  return data;
}

/// --input, by name.
static std::map<std::string, std::string> parseNamed(const vae_abi_entry &entry,
                                                     const Options &options) {
  std::map<std::string, std::string> files;
  for (const std::string &text : options.named) {
    size_t equals = text.find('=');
    std::string name = text.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == text.size())
      throw UsageError(concat("--input ", text, ": expected NAME=FILE"));
    std::string names;
    bool known = false;
    for (uint32_t i = 0; i < entry.num_inputs; ++i)
      if (entry.inputs[i].role == VAE_ROLE_CONDITION) {
        known |= name == entry.inputs[i].name;
        names += concat(names.empty() ? "" : ", ", entry.inputs[i].name);
      }
    if (!known)
      fail("--input ", text, ": expected a further input of '", entry.name, "'",
           names.empty() ? ", which has none" : ": ", names, ", found '", name,
           "'; ", names.empty() ? "leave the option out" : "name one of these");
    if (!files.emplace(name, text.substr(equals + 1)).second)
      fail("--input ", text, ": expected each name once, found '", name,
           "' again; leave one out");
  }
  return files;
}

static void loadConditions(const vae_abi_model &model, const Options &options,
                           Job &job) {
  auto files = parseNamed(*job.entry, options);
  for (uint32_t i = 0; i < job.entry->num_inputs; ++i) {
    const vae_abi_tensor &tensor = job.entry->inputs[i];
    if (tensor.role != VAE_ROLE_CONDITION)
      continue;
    auto file = files.find(tensor.name);
    if (file == files.end())
      fail("expected a file for the input '", tensor.name, "' of shape ",
           formatExpected(model, tensor, job.sizes),
           ", found none; give it with --input ", tensor.name, "=FILE");
    Data &data = job.inputs[i];
    data = loadData({file->second}, model, tensor, options, job.sizes);
    if (data.examples != job.getExamples() && data.examples != 1)
      fail(file->second, ": input '", tensor.name, "': expected 1 or ",
           job.getExamples(), " examples, as many as the data has, found ",
           data.examples, "; give one for each, or one for all");
  }
}

static void loadNoise(const vae_abi_model &model, const Options &options,
                      Job &job) {
  auto index = findInput(*job.entry, VAE_ROLE_NOISE);
  if (!index)
    fail(options.noise, ": expected a model that takes noise, '",
         job.entry->name, "' takes none; leave --noise out");
  Data &data = job.inputs[*index];
  data = loadData({options.noise}, model, job.entry->inputs[*index], options,
                  job.sizes);
  if (data.examples != job.getExamples())
    fail(options.noise, ": expected noise for ", job.getExamples(),
         " examples, found ", data.examples, "; give one value for each of mu");
}

Job vaerun::makeJob(const Model &model, const vae_abi_entry &entry,
                    const Options &options) {
  const vae_abi_model &table = model.getTable();
  Job job;
  job.entry = &entry;
  job.inputs.resize(entry.num_inputs);
  job.sizes = parseSizes(table, options);
  job.seed = options.seed;
  auto index = findInput(entry, VAE_ROLE_INPUT);
  if (!index)
    index = findInput(entry, VAE_ROLE_LATENT);
  if (index) {
    Data &data = job.inputs[*index];
    data = loadData(options.files, table, entry.inputs[*index], options,
                    job.sizes);
    job.sizes[0] = data.examples;
  } else {
    job.sizes[0] = options.count;
  }
  if (!options.noise.empty())
    loadNoise(table, options, job);
  loadConditions(table, options, job);
  requireSizes(table, job.sizes);
  return job;
}
