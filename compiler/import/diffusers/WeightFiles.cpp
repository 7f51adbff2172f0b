// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/diffusers/WeightFiles.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace llvm;
using namespace vae;

static constexpr StringRef kStem = "diffusion_pytorch_model";

/// The variant that a file of weights is of, "" for none; nothing if it is no
/// such file, or one of several shards, which their index names.
static std::optional<std::string> getVariant(StringRef file) {
  if (!file.consume_front(kStem))
    return std::nullopt;
  if (file.consume_front(".safetensors.index") && file.consume_back(".json"))
    return file.drop_while([](char c) { return c == '.'; }).str();
  if (!file.consume_back(".safetensors") || file.contains("-of-"))
    return std::nullopt;
  return file.drop_while([](char c) { return c == '.'; }).str();
}

Error vae::diffusers::addWeightFiles(StringRef folder, WeightStore &weights) {
  std::set<std::pair<std::string, std::string>> found; // variant, file
  bool pickled = false;
  std::error_code code;
  for (sys::fs::directory_iterator entry(folder, code), end;
       !code && entry != end; entry.increment(code)) {
    StringRef file = sys::path::filename(entry->path());
    pickled |= file.starts_with(kStem) && file.ends_with(".bin");
    if (auto variant = getVariant(file))
      found.insert({*variant, file.str()});
  }
  if (code)
    return createStringError(code, "cannot read the folder: " + code.message());
  if (found.empty())
    return createStringError(
        "the folder has no " + kStem + ".safetensors" +
        (pickled ? ", only a .bin file; save the model again with "
                   "safe_serialization=True"
                 : ""));
  if (!found.begin()->first.empty() &&
      found.begin()->first != found.rbegin()->first) {
    std::vector<std::string> files;
    for (const auto &[variant, file] : found)
      files.push_back(file);
    return createStringError("the folder has several variants of its weights "
                             "and no " +
                             kStem + ".safetensors: " + join(files, ", ") +
                             "; leave one of them in it");
  }
  SmallString<256> path(folder);
  sys::path::append(path, found.begin()->second);
  return weights.addFile(path);
}
