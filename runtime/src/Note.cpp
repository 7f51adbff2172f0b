// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only file of the runtime in which exceptions exist: nlohmann/json may
// throw std::bad_alloc. None leaves it.
#include "runtime/src/Note.h"

#include "runtime/src/CpuFeatures.h"

#include <nlohmann/json.hpp>

#include <cstring>
#include <string>

using namespace vae::runtime;
using Json = nlohmann::json;

static constexpr int64_t kNoteSchema = 1;

namespace {

/// Collects what a list of features lacks.
struct FeatureCheck {
  std::string missing, unknown;

  void add(const char *name, size_t size) {
    if (!size)
      return;
    CpuAnswer answer = findHostFeature(name, size);
    if (answer == CpuAnswer::Present)
      return;
    std::string &list = answer == CpuAnswer::Missing ? missing : unknown;
    list += list.empty() ? "" : ", ";
    list.append(name, size);
  }

  vae_status_t finish(Text &message) const {
    if (missing.empty() && unknown.empty())
      return VAE_OK;
    if (!missing.empty())
      message.add("the library needs CPU features that this machine lacks: "
                  "%s; compile the model for this machine, for example with "
                  "--mcpu=native here",
                  missing.c_str());
    if (!unknown.empty())
      message.add("%sthe library needs CPU features that this runtime (%s) "
                  "does not know: %s; use a newer runtime",
                  missing.empty() ? "" : "; also, ", vae_runtime_version(),
                  unknown.c_str());
    return VAE_UNSUPPORTED_CPU;
  }
};

} // namespace

static vae_status_t outOfMemory(Text &message) {
  message.add("out of memory");
  return VAE_OUT_OF_MEMORY;
}

static vae_status_t damaged(Text &message, const char *what) {
  message.add("the library's note is damaged: %s; compile or copy it again",
              what);
  return VAE_INVALID_MODEL;
}

/// A whole number, or -1.
static int64_t getNumber(const Json &object, const char *key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer())
    return -1;
  if (found->is_number_unsigned() &&
      found->get<uint64_t>() > uint64_t(INT64_MAX))
    return INT64_MAX;
  return found->get<int64_t>();
}

static vae_status_t checkParsed(const Json &note, Text &message) {
  if (!note.is_object())
    return damaged(message, "it is no JSON object");
  // First of all: anything else may look different in another version.
  int64_t abi = getNumber(note, "abi_version");
  int64_t schema = getNumber(note, "schema");
  if (abi < 1 || schema < 1)
    return damaged(message, "it has no \"abi_version\" or no \"schema\"");
  if (abi > VAE_ABI_VERSION || schema > kNoteSchema) {
    bool older = abi > VAE_ABI_VERSION;
    message.add("the library speaks version %lld of the %s, this runtime (%s) "
                "knows up to %lld; use a newer runtime, or compile the model "
                "with the vaec of this one",
                static_cast<long long>(older ? abi : schema),
                older ? "model ABI" : "note", vae_runtime_version(),
                static_cast<long long>(older ? VAE_ABI_VERSION : kNoteSchema));
    return VAE_UNSUPPORTED_ABI;
  }
  auto features = note.find("features");
  if (features == note.end() || !features->is_array())
    return damaged(message, "it has no list \"features\"");
  FeatureCheck check;
  for (const Json &feature : *features) {
    if (!feature.is_string())
      return damaged(message, "\"features\" holds something that is no name");
    const auto &name = feature.get_ref<const std::string &>();
    check.add(name.data(), name.size());
  }
  return check.finish(message);
}

vae_status_t vae::runtime::checkNoteSyntax(const char *note, size_t size,
                                           Text &message) {
  try {
    if (Json::accept(note, note + size))
      return VAE_OK;
    return damaged(message, "it is no JSON text");
  } catch (...) {
    return outOfMemory(message);
  }
}

vae_status_t vae::runtime::checkNote(const char *note, size_t size,
                                     Text &message) {
  try {
    Json parsed = Json::parse(note, note + size, nullptr,
                              /*allow_exceptions=*/false);
    if (parsed.is_discarded())
      return damaged(message, "it is no JSON text");
    return checkParsed(parsed, message);
  } catch (...) {
    return outOfMemory(message);
  }
}

vae_status_t vae::runtime::checkFeatures(const char *list, Text &message) {
  try {
    FeatureCheck check;
    while (*list) {
      size_t size = std::strcspn(list, ",");
      check.add(list, size);
      list += size + (list[size] == ',');
    }
    return check.finish(message);
  } catch (...) {
    return outOfMemory(message);
  }
}
