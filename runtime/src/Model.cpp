// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Model.h"

#include "runtime/src/Note.h"
#include "runtime/src/Options.h"
#include "runtime/src/Table.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <new>

using namespace vae::runtime;

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

// dlopen compares names before it looks at files: a model that was compiled
// again while an older one is still loaded from the same path would silently
// be the older one. So we remember what is loaded from where, and spell the
// path of a changed file another way ("dir/././m.so").
static std::mutex loadedMutex;
static vae_model_t *loaded = nullptr;

static bool isTaken(const char *path, const FileIdentity &identity) {
  for (const vae_model_t *model = loaded; model; model = model->next)
    if (std::strcmp(model->path, path) == 0 && model->identity != identity)
      return true;
  return false;
}

/// Whether somebody wrote into a file that is loaded. It must not be touched
/// any more: the kernel may have dropped what the dynamic loader knew of it.
static bool isOverwritten(const FileIdentity &identity) {
  for (const vae_model_t *model = loaded; model; model = model->next)
    if (model->identity.device == identity.device &&
        model->identity.inode == identity.inode && model->identity != identity)
      return true;
  return false;
}

/// The path with a slash, and `dots` times "./" before the last component.
/// To be freed.
static char *spell(const char *path, unsigned dots) {
  const char *slash = std::strrchr(path, '/');
  size_t folder = slash ? slash + 1 - path : 0;
  size_t length = std::strlen(path);
  size_t extra = 2 * size_t(dots) + (slash ? 0 : 2);
  auto *result = static_cast<char *>(std::malloc(length + extra + 1));
  if (!result)
    return nullptr;
  std::memcpy(result, path, folder);
  for (size_t i = 0; i < extra; ++i)
    result[folder + i] = i % 2 ? '/' : '.';
  std::memcpy(result + folder + extra, path + folder, length - folder + 1);
  return result;
}

static vae_status_t open(vae_model_t &model, const char *path, Text &message) {
  if (isOverwritten(model.identity)) {
    message.add("the file was overwritten while a model is loaded from it; "
                "replace such a file by renaming a new one");
    return VAE_INVALID_MODEL;
  }
  unsigned dots = 0;
  do {
    std::free(model.path);
    model.path = spell(path, dots++);
    if (!model.path) {
      message.add("out of memory");
      return VAE_OUT_OF_MEMORY;
    }
  } while (isTaken(model.path, model.identity));
  model.handle = dlopen(model.path, RTLD_NOW | RTLD_LOCAL);
  if (!model.handle) {
    const char *reason = dlerror();
    message.add("the library cannot be loaded: %s", reason ? reason : "?");
    return VAE_INVALID_MODEL;
  }
  return VAE_OK;
}

static vae_status_t query(vae_model_t &model, const char *version,
                          Text &message) {
  void *symbol = dlsym(model.handle, VAE_MODEL_QUERY_SYMBOL);
  if (!symbol) {
    message.add("the library exports no " VAE_MODEL_QUERY_SYMBOL
                "; compile the model with vaec");
    return VAE_INVALID_MODEL;
  }
  model.table = reinterpret_cast<vae_model_query_fn>(symbol)(VAE_ABI_VERSION);
  vae_status_t status = checkTable(model.table, message);
  // The note has said the same; a library that lies in it must not crash.
  if (!status)
    status = chooseVersion(*model.table, version, model.version, message);
  if (status || !model.version)
    return status;
  model.table = model.version->table;
  return checkTable(model.table, message);
}

static void close(vae_model_t *model) {
  if (model->handle)
    dlclose(model->handle);
  std::free(model->path);
  delete model;
}

/// What is known before the code is mapped. outVersion: null, or gets the name
/// of the version that would run.
static vae_status_t inspect(ElfFile &file, const char *path,
                            const char *version, char **outVersion,
                            Text &message) {
  vae_status_t status = file.read(path, message);
  if (!status)
    status = file.checkMachine(message);
  return status ? status
                : checkNote(file.getNote(), file.getNoteSize(), version,
                            outVersion, message);
}

static vae_status_t load(const char *path, const char *version,
                         vae_model_t **outModel, Text &message) {
  ElfFile file;
  vae_status_t status = inspect(file, path, version, nullptr, message);
  if (status)
    return status;
  auto *model = new (std::nothrow) vae_model_t;
  if (!model) {
    message.add("out of memory");
    return VAE_OUT_OF_MEMORY;
  }
  model->identity = file.getIdentity();
  std::lock_guard<std::mutex> lock(loadedMutex);
  status = open(*model, path, message);
  if (!status)
    status = query(*model, version, message);
  if (status) {
    close(model);
    return status;
  }
  model->next = loaded;
  loaded = model;
  *outModel = model;
  return VAE_OK;
}

//===----------------------------------------------------------------------===//
// The C API
//===----------------------------------------------------------------------===//

vae_status_t vae_model_load(const char *path, vae_model_t **out_model,
                            char *message, size_t message_size) {
  return vae_model_load_with(path, nullptr, out_model, message, message_size);
}

/// Calls `body` with the version that the options name, and says what file a
/// failure is about.
template <typename Body>
static vae_status_t withOptions(const char *function, const char *path,
                                const vae_load_options_t *options, bool hasOut,
                                Text message, Body body) {
  vae_load_options_t wanted;
  if (!path || !hasOut || !readOptions(options, wanted) || wanted.flags) {
    message.add("%s: the path or the place of the result is NULL, or the "
                "options have a size, flag or field that is unknown",
                function);
    return VAE_INVALID_ARGUMENT;
  }
  message.add("%s: ", path);
  vae_status_t status = body(wanted.version, message);
  if (!status)
    message.clear();
  return status;
}

vae_status_t vae_model_load_with(const char *path,
                                 const vae_load_options_t *options,
                                 vae_model_t **out_model, char *message,
                                 size_t message_size) {
  return withOptions("vae_model_load", path, options, out_model != nullptr,
                     Text(message, message_size),
                     [&](const char *version, Text &text) {
                       return load(path, version, out_model, text);
                     });
}

vae_status_t vae_model_choose_version(const char *path,
                                      const vae_load_options_t *options,
                                      char **out_version, char *message,
                                      size_t message_size) {
  return withOptions("vae_model_choose_version", path, options,
                     out_version != nullptr, Text(message, message_size),
                     [&](const char *version, Text &text) {
                       ElfFile file;
                       return inspect(file, path, version, out_version, text);
                     });
}

void vae_model_release(vae_model_t *model) {
  if (!model)
    return;
  std::lock_guard<std::mutex> lock(loadedMutex);
  for (vae_model_t **link = &loaded; *link; link = &(*link)->next)
    if (*link == model) {
      *link = model->next;
      break;
    }
  close(model);
}

const vae_abi_model *vae_model_table(const vae_model_t *model) {
  return model ? model->table : nullptr;
}

const char *vae_model_version(const vae_model_t *model) {
  return model && model->version ? model->version->name : nullptr;
}

vae_status_t vae_model_find_entry(const vae_model_t *model, const char *name,
                                  const vae_abi_entry **out_entry) {
  if (!model || !name || !out_entry)
    return VAE_INVALID_ARGUMENT;
  const vae_abi_entry *entry = findEntry(*model->table, name);
  if (!entry)
    return VAE_NOT_FOUND;
  *out_entry = entry;
  return VAE_OK;
}

vae_status_t vae_model_tensor_dims(const vae_model_t *model,
                                   const vae_abi_tensor *tensor,
                                   const int64_t *symbols, int64_t *out_dims) {
  if (!model || !tensor || !symbols || !out_dims)
    return VAE_INVALID_ARGUMENT;
  const vae_abi_model &table = *model->table;
  for (uint32_t s = 0; s < table.num_symbols; ++s)
    if (!isValid(table.symbols[s], symbols[s]))
      return VAE_INVALID_ARGUMENT;
  if (getNumBytes(table, *tensor, symbols) < 0)
    return VAE_INVALID_ARGUMENT;
  for (uint32_t d = 0; d < tensor->rank; ++d)
    out_dims[d] = getDim(table, tensor->dims[d], symbols);
  return VAE_OK;
}

vae_status_t vae_model_read_note(const char *path, char **out_json,
                                 char *message, size_t message_size) {
  Text text(message, message_size);
  if (!path || !out_json) {
    text.add("vae_model_read_note: path or out_json is NULL");
    return VAE_INVALID_ARGUMENT;
  }
  text.add("%s: ", path);
  ElfFile file;
  vae_status_t status = file.read(path, text);
  if (!status)
    status = checkNoteSyntax(file.getNote(), file.getNoteSize(), text);
  if (status)
    return status;
  text.clear();
  *out_json = file.takeNote();
  return VAE_OK;
}

void vae_string_free(char *text) { std::free(text); }
