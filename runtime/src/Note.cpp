// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only file of the runtime in which exceptions exist: nlohmann/json may
// throw std::bad_alloc. None leaves it.
#include "runtime/src/Note.h"

#include "runtime/src/CpuFeatures.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using namespace vae::runtime;
using Json = nlohmann::json;

static constexpr int64_t kNoteSchema = 1;

namespace {

constexpr char kCompileAgain[] =
    "compile the model for this machine, for example with --mcpu=native here";

/// A version of a library's code, and what its list of features lacks here.
struct Version {
  std::string name, missing, unknown;

  bool fits() const { return missing.empty() && unknown.empty(); }

  void add(const char *feature, size_t size) {
    if (!size)
      return;
    CpuAnswer answer = findHostFeature(feature, size);
    if (answer == CpuAnswer::Present)
      return;
    std::string &list = answer == CpuAnswer::Missing ? missing : unknown;
    list += list.empty() ? "" : ", ";
    list.append(feature, size);
  }

  /// Features with commas between them.
  void addList(const char *list) {
    while (*list) {
      size_t size = std::strcspn(list, ",");
      add(list, size);
      list += size + (list[size] == ',');
    }
  }

  vae_status_t check(const char *subject, const char *remedy,
                     Text &message) const {
    if (!missing.empty())
      message.add("%s needs CPU features that this machine lacks: %s; %s",
                  subject, missing.c_str(), remedy);
    if (!unknown.empty())
      message.add("%s%s needs CPU features that this runtime (%s) does not "
                  "know: %s; use a newer runtime",
                  missing.empty() ? "" : "; also, ", subject,
                  vae_runtime_version(), unknown.c_str());
    return fits() ? VAE_OK : VAE_UNSUPPORTED_CPU;
  }
};

/// The versions of a library, from the least demanding one.
class Versions {
public:
  Version &add(const std::string &name) {
    versions.emplace_back();
    versions.back().name = name;
    return versions.back();
  }

  /// Chooses the one of that name, or the last that fits. `outIndex` is its
  /// number.
  vae_status_t choose(const char *wanted, size_t &outIndex,
                      Text &message) const {
    return wanted ? findNamed(wanted, outIndex, message)
                  : findBest(outIndex, message);
  }

private:
  vae_status_t findNamed(const char *wanted, size_t &outIndex,
                         Text &message) const {
    std::string names;
    for (const Version &version : versions) {
      if (version.name == wanted) {
        outIndex = static_cast<size_t>(&version - versions.data());
        return version.check(
            ("the version '" + version.name + "' of the library").c_str(),
            "choose another version", message);
      }
      names += (names.empty() ? "" : ", ") + version.name;
    }
    message.add("the library has no version '%s'; it has %s", wanted,
                versions.size() > 1
                    ? names.c_str()
                    : "one version only; name several CPUs for vaec --mcpu");
    return VAE_NOT_FOUND;
  }

  vae_status_t findBest(size_t &outIndex, Text &message) const {
    for (size_t i = versions.size(); i-- > 0;)
      if (versions[i].fits()) {
        outIndex = i;
        return VAE_OK;
      }
    if (versions.size() == 1)
      return versions[0].check("the library", kCompileAgain, message);
    message.add("this machine can run no version of the library;");
    for (const Version &version : versions) {
      bool both = !version.missing.empty() && !version.unknown.empty();
      message.add(" missing for '%s': %s%s%s", version.name.c_str(),
                  version.missing.c_str(), both ? ", " : "",
                  version.unknown.c_str());
      if (!version.unknown.empty())
        message.add(" (this runtime, %s, does not know %s)",
                    vae_runtime_version(), version.unknown.c_str());
      message.add(";");
    }
    message.add(" %s", kCompileAgain);
    return VAE_UNSUPPORTED_CPU;
  }

  std::vector<Version> versions;
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

static vae_status_t readFeatures(const Json &object, Version &version,
                                 Text &message) {
  auto features = object.find("features");
  if (features == object.end() || !features->is_array())
    return damaged(message, "it has no list \"features\"");
  for (const Json &feature : *features) {
    if (!feature.is_string())
      return damaged(message, "\"features\" holds something that is no name");
    const auto &name = feature.get_ref<const std::string &>();
    version.add(name.data(), name.size());
  }
  return VAE_OK;
}

static vae_status_t checkParsed(const Json &note, const char *wanted,
                                std::string &outVersion, Text &message) {
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
  Versions versions;
  auto several = note.find("versions");
  bool single = several == note.end();
  vae_status_t status = VAE_OK;
  if (single) {
    status = readFeatures(note, versions.add(""), message);
  } else if (!several->is_array() || several->empty()) {
    return damaged(message, "\"versions\" is no list of versions");
  } else {
    for (const Json &version : *several) {
      auto name = version.is_object() ? version.find("name") : version.end();
      if (name == version.end() || !name->is_string())
        return damaged(message, "\"versions\" holds one without a name");
      status = readFeatures(
          version, versions.add(name->get_ref<const std::string &>()), message);
      if (status)
        break;
    }
  }
  size_t chosen = 0;
  if (!status)
    status = versions.choose(wanted, chosen, message);
  if (!status && !single)
    outVersion = (*several)[chosen]["name"].get<std::string>();
  return status;
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
                                     const char *version, char **outVersion,
                                     Text &message) {
  try {
    Json parsed = Json::parse(note, note + size, nullptr,
                              /*allow_exceptions=*/false);
    if (parsed.is_discarded())
      return damaged(message, "it is no JSON text");
    std::string chosen;
    vae_status_t status = checkParsed(parsed, version, chosen, message);
    if (status || !outVersion)
      return status;
    char *name = chosen.empty() ? nullptr : strdup(chosen.c_str());
    if (!name && !chosen.empty())
      return outOfMemory(message);
    *outVersion = name;
    return VAE_OK;
  } catch (...) {
    return outOfMemory(message);
  }
}

vae_status_t vae::runtime::chooseVersion(const vae_abi_model &table,
                                         const char *version,
                                         const vae_abi_version *&outVersion,
                                         Text &message) {
  try {
    Versions versions;
    if (!table.num_versions)
      versions.add("").addList(table.cpu_features);
    for (uint32_t i = 0; i < table.num_versions; ++i)
      versions.add(table.versions[i].name)
          .addList(table.versions[i].table->cpu_features);
    size_t chosen = 0;
    vae_status_t status = versions.choose(version, chosen, message);
    if (!status)
      outVersion = table.num_versions ? &table.versions[chosen] : nullptr;
    return status;
  } catch (...) {
    return outOfMemory(message);
  }
}

vae_status_t vae::runtime::checkFeatures(const char *list, Text &message) {
  try {
    Version version;
    version.addList(list);
    return version.check("the library", kCompileAgain, message);
  } catch (...) {
    return outOfMemory(message);
  }
}
