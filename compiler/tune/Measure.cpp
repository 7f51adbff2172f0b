// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tune/Measure.h"

#include "runtime/include/vae/vae_abi.h"

#include <algorithm>
#include <ctime>
#include <dlfcn.h>
#include <memory>
#include <new>
#include <optional>
#include <utility>

using namespace vae;

/// After one run that is not counted: at least so many of each entry point, and
/// until each has had that much time, if that does not take more runs than a
/// small layer needs.
static constexpr size_t kFewestRuns = 5, kMostRuns = 400;
static constexpr double kMillisecondsEach = 80;

/// Of this thread: what else runs on the machine is not in it.
static double getMilliseconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) +
         1e-6 * static_cast<double>(time.tv_nsec);
}

//===----------------------------------------------------------------------===//
// One entry point
//===----------------------------------------------------------------------===//

namespace {
struct FreeAligned {
  void operator()(void *memory) const {
    ::operator delete(memory, std::align_val_t(VAE_ARENA_ALIGNMENT));
  }
};
using Memory = std::unique_ptr<void, FreeAligned>;

/// An entry point with its buffers.
class EntryRun {
public:
  /// Nothing if there is not enough memory, or a size is not fixed.
  static std::optional<EntryRun> prepare(const vae_abi_model &table,
                                         const vae_abi_entry &entry);
  /// Milliseconds of the steps of a layer; below 0 if the run fails.
  double run(llvm::StringRef layer);

private:
  bool addBuffers(const vae_abi_tensor *tensors, size_t count, bool random,
                  std::vector<void *> &pointers);
  /// Null without memory.
  void *allocate(size_t bytes);

  const vae_abi_entry *entry = nullptr;
  std::vector<int64_t> symbols;
  std::vector<Memory> buffers;
  std::vector<void *> inputs, outputs;
  void *arena = nullptr, *scratch = nullptr;
  std::vector<double> steps; // of the current run
};
} // namespace

void *EntryRun::allocate(size_t bytes) {
  void *memory =
      ::operator new(std::max<size_t>(bytes, 1),
                     std::align_val_t(VAE_ARENA_ALIGNMENT), std::nothrow);
  buffers.emplace_back(memory);
  return memory;
}

static std::optional<size_t> countElements(const vae_abi_tensor &tensor) {
  size_t count = 1;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
    if (tensor.dims[axis].symbol >= 0)
      return std::nullopt;
    count *= static_cast<size_t>(tensor.dims[axis].offset);
  }
  return count;
}

/// Numbers from -1 to 1 without a pattern; products of them are no denormals.
static float getNumber(uint32_t at) {
  constexpr uint32_t kFactor = 2654435761U; // Knuth's multiplicative hashing
  return static_cast<float>(at * kFactor >> 8) / (1 << 23) - 1;
}

bool EntryRun::addBuffers(const vae_abi_tensor *tensors, size_t count,
                          bool random, std::vector<void *> &pointers) {
  for (size_t i = 0; i < count; ++i) {
    auto elements = countElements(tensors[i]);
    auto *values =
        elements ? static_cast<float *>(allocate(*elements * sizeof(float)))
                 : nullptr;
    if (!values)
      return false;
    pointers.push_back(values);
    for (size_t at = 0; random && at < *elements; ++at)
      values[at] = getNumber(static_cast<uint32_t>(at));
  }
  return true;
}

std::optional<EntryRun> EntryRun::prepare(const vae_abi_model &table,
                                          const vae_abi_entry &entry) {
  EntryRun result;
  result.entry = &entry;
  for (uint32_t i = 0; i < table.num_symbols; ++i)
    result.symbols.push_back(table.symbols[i].minimum);
  if (!result.addBuffers(entry.inputs, entry.num_inputs, /*random=*/true,
                         result.inputs) ||
      !result.addBuffers(entry.outputs, entry.num_outputs, /*random=*/false,
                         result.outputs))
    return std::nullopt;
  int64_t bytes = entry.arena_size(result.symbols.data());
  result.arena = result.allocate(static_cast<size_t>(bytes));
  result.scratch = result.allocate(entry.scratch_size);
  result.steps.reserve(entry.num_steps);
  if (!result.arena || !result.scratch)
    return std::nullopt;
  return result;
}

double EntryRun::run(llvm::StringRef layer) {
  steps.clear();
  vae_abi_call call = {};
  call.struct_size = sizeof(call);
  call.inputs = inputs.data();
  call.outputs = outputs.data();
  call.symbols = symbols.data();
  call.arena = arena;
  call.parallel_ctx = this;
  call.parallel_for = [](void *ctx, int64_t count, int64_t, vae_abi_task task,
                         void *arg) {
    double begin = getMilliseconds();
    if (count > 0)
      task(arg, 0, count);
    static_cast<EntryRun *>(ctx)->steps.push_back(getMilliseconds() - begin);
  };
  call.take_scratch = [](void *ctx) {
    return static_cast<EntryRun *>(ctx)->scratch;
  };
  call.give_scratch = [](void *, void *) {};
  if (entry->run(&call) != 0 || steps.size() != entry->num_steps)
    return -1;
  double total = 0;
  for (uint32_t i = 0; i < entry->num_steps; ++i)
    if (layer == entry->steps[i].layer)
      total += steps[i];
  return total;
}

//===----------------------------------------------------------------------===//
// A library
//===----------------------------------------------------------------------===//

LoadedLibrary::LoadedLibrary(LoadedLibrary &&other) noexcept
    : handle(std::exchange(other.handle, nullptr)), table(other.table) {}

LoadedLibrary::~LoadedLibrary() {
  if (handle)
    dlclose(handle);
}

llvm::Expected<LoadedLibrary> LoadedLibrary::load(llvm::StringRef path) {
  void *handle = dlopen(path.str().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return llvm::createStringError(
        std::make_error_code(std::errc::io_error),
        "the layers to measure cannot be loaded, from the folder of the "
        "table: %s; choose one with --tune=FILE from which programs may run",
        dlerror());
  auto *query = reinterpret_cast<vae_model_query_fn>(
      dlsym(handle, VAE_MODEL_QUERY_SYMBOL));
  const vae_abi_model *table = query ? query(VAE_ABI_VERSION) : nullptr;
  LoadedLibrary library(handle, table);
  if (!table)
    return llvm::createStringError("the layers to measure have no table");
  return library;
}

static const vae_abi_entry *findEntry(const vae_abi_model &table,
                                      llvm::StringRef name) {
  for (uint32_t i = 0; i < table.num_entries; ++i)
    if (name == table.entries[i].name)
      return &table.entries[i];
  return nullptr;
}

llvm::Expected<std::vector<double>>
LoadedLibrary::measure(llvm::ArrayRef<std::string> entries,
                       llvm::StringRef layer) const {
  std::vector<EntryRun> runs;
  for (const std::string &name : entries) {
    const vae_abi_entry *entry = findEntry(*table, name);
    if (!entry)
      return llvm::createStringError("no entry point '" + name +
                                     "' to measure");
    auto run = EntryRun::prepare(*table, *entry);
    if (!run)
      return llvm::createStringError(
          std::make_error_code(std::errc::not_enough_memory),
          "not enough memory to measure layer '" + layer +
              "'; choose a smaller --size");
    runs.push_back(std::move(*run));
  }
  std::vector<double> least(runs.size());
  double begin = getMilliseconds();
  double enough = kMillisecondsEach * static_cast<double>(runs.size());
  for (size_t round = 0; round <= kMostRuns; ++round) {
    if (round > kFewestRuns && getMilliseconds() - begin > enough)
      break;
    for (size_t i = 0; i < runs.size(); ++i) {
      double time = runs[i].run(layer);
      if (time < 0)
        return llvm::createStringError("layer '" + layer +
                                       "' cannot be run to measure it");
      if (round <= 1 || time < least[i])
        least[i] = time;
    }
  }
  return least;
}
