// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Model.h"

#include "tools/data/Error.h"

using namespace vaedata;

/// Throws what a status means: the user's error, or ours.
[[noreturn]] static void failStatus(vae_status_t status, std::string message) {
  if (message.empty())
    message = vae_status_text(status);
  if (status == VAE_INTERNAL)
    throw std::runtime_error(message);
  throw UserError(message);
}

std::string vaedata::readNote(const std::string &path) {
  char *text = nullptr;
  char message[1024] = "";
  vae_status_t status =
      vae_model_read_note(path.c_str(), &text, message, sizeof(message));
  if (status != VAE_OK)
    failStatus(status, message);
  std::string note = text;
  vae_string_free(text);
  return note;
}

static vae_load_options_t makeLoadOptions(const std::string &version) {
  vae_load_options_t options = VAE_LOAD_OPTIONS_INIT;
  options.version = version.empty() ? nullptr : version.c_str();
  return options;
}

VersionChoice vaedata::chooseVersion(const std::string &path,
                                     const std::string &version) {
  vae_load_options_t options = makeLoadOptions(version);
  char *name = nullptr;
  char message[1024] = "";
  vae_status_t status = vae_model_choose_version(path.c_str(), &options, &name,
                                                 message, sizeof(message));
  VersionChoice choice;
  if (status != VAE_OK)
    choice.refusal = message;
  else if (name)
    choice.name = name;
  vae_string_free(name);
  return choice;
}

Model::Model(const std::string &path, const std::string &version) : path(path) {
  vae_load_options_t options = makeLoadOptions(version);
  char message[1024] = "";
  vae_status_t status = vae_model_load_with(path.c_str(), &options, &model,
                                            message, sizeof(message));
  if (status != VAE_OK)
    failStatus(status, message);
}

Model::~Model() { vae_model_release(model); }

const vae_abi_entry *Model::findEntry(const std::string &name) const {
  const vae_abi_entry *entry = nullptr;
  return vae_model_find_entry(model, name.c_str(), &entry) == VAE_OK ? entry
                                                                     : nullptr;
}

const vae_abi_entry &Model::getEntry(const std::string &name) const {
  if (const vae_abi_entry *entry = findEntry(name))
    return *entry;
  std::string names;
  const vae_abi_model &table = getTable();
  for (uint32_t i = 0; i < table.num_entries; ++i)
    names += concat(names.empty() ? "" : ", ", table.entries[i].name);
  bool random = name == "encode_sample" || name == "reconstruct_sample" ||
                name == "sample";
  fail(path, ": expected the entry point '", name, "', found ", names,
       "; compile the model with it (vaec --entry=", name, ",...)",
       random ? "; a model whose latent is a plain code has none that samples"
              : "");
}

Session::Session(const Model &model, uint32_t threads, uint64_t maxMemory,
                 vae_progress_fn progress, void *progressContext) {
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.max_memory = maxMemory;
  options.progress = progress;
  options.progress_ctx = progressContext;
  vae_status_t status = vae_session_create(model.get(), &options, &session);
  if (status == VAE_INVALID_ARGUMENT)
    throw UsageError(
        concat("--threads: expected 1 to 1024 threads, or 0 for one per CPU, "
               "found ",
               threads));
  if (status != VAE_OK)
    failStatus(status, "");
}

Session::~Session() { vae_session_release(session); }

void Session::check(vae_status_t status) const {
  if (status != VAE_OK)
    failStatus(status, vae_session_message(session));
}

void Session::prepare(const vae_abi_entry &entry, const Sizes &sizes) {
  check(vae_session_prepare(session, entry.name, sizes.data(),
                            static_cast<uint32_t>(sizes.size())));
}

void Session::run(const vae_abi_entry &entry, const vae_run_options_t &options,
                  const std::vector<vae_tensor_t> &inputs,
                  const std::vector<vae_tensor_t> &outputs) {
  check(vae_session_run(session, entry.name, &options, inputs.data(),
                        static_cast<uint32_t>(inputs.size()), outputs.data(),
                        static_cast<uint32_t>(outputs.size())));
  const char *layer = vae_session_clamped(session);
  if (!layer || warned || !onWarning)
    return;
  warned = true;
  onWarning(concat(
      "layer '", layer,
      "' has numbers beyond 65504, the largest of f16, which stands in their "
      "place; compile the model with --storage=f32 or --storage=f16-weights"));
}
