// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/ModelLibrary.h"

#include <csignal>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

using namespace vae;
using namespace vae::test;
using llvm::ArrayRef;

/// A NaN that no computation makes.
static constexpr uint32_t kUnwritten = 0x7fc0dead;

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

static char activity[512];
static volatile sig_atomic_t launches;

void vae::test::setActivity(const std::string &text) {
  std::strncpy(activity, text.c_str(), sizeof(activity) - 1);
  launches = 0;
}

static void writeText(const char *text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0)
    _exit(1);
}

static void handleFault(int) {
  char number[16] = {}, *digit = number + sizeof(number) - 1;
  for (int rest = launches; *--digit = '0' + rest % 10, rest >= 10;)
    rest /= 10;
  writeText("error: a fault, as of an access outside a buffer: ");
  writeText(activity);
  writeText(", launch ");
  writeText(digit);
  writeText("\n");
  _exit(1);
}

void vae::test::reportFaults() {
  struct sigaction action = {};
  action.sa_handler = handleFault;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    sigaction(signal, &action, nullptr);
}

//===----------------------------------------------------------------------===//
// Partitions
//===----------------------------------------------------------------------===//

const char *vae::test::getName(Split split) {
  switch (split) {
  case Split::Whole:
    return "whole loops";
  case Split::TwoThreads:
    return "two threads";
  case Split::OneByOne:
    return "one item at a time";
  case Split::UnevenParts:
    return "uneven parts";
  }
  return "";
}

static void runParts(Split split, int64_t count, vae_abi_task task, void *arg) {
  switch (split) {
  case Split::Whole:
    return task(arg, 0, count);
  case Split::TwoThreads: {
    int64_t middle = (2 * count + 2) / 3;
    std::thread other([&] {
      if (middle < count)
        task(arg, middle, count);
    });
    task(arg, 0, middle);
    return other.join();
  }
  case Split::OneByOne:
    for (int64_t i = count; i-- > 0;)
      task(arg, i, i + 1);
    return;
  case Split::UnevenParts:
    for (int64_t end = count, size = 1; end > 0; end -= size++)
      task(arg, std::max<int64_t>(0, end - size), end);
    return;
  }
}

namespace {
/// The context of parallelFor.
struct Run {
  Split split;
  Edge edge;
  ArrayRef<LaunchBuffers> launches;
  size_t scratchSize = 0;
  std::mutex mutex;
  std::map<void *, std::unique_ptr<GuardedBuffer>> scratch = {};
};
} // namespace

static void *takeScratch(void *ctx) {
  Run &run = *static_cast<Run *>(ctx);
  auto buffer = std::make_unique<GuardedBuffer>(run.scratchSize, run.edge);
  buffer->fill(kUnwritten);
  void *data = buffer->data();
  std::lock_guard lock(run.mutex);
  run.scratch[data] = std::move(buffer);
  return data;
}

static void giveScratch(void *ctx, void *scratch) {
  Run &run = *static_cast<Run *>(ctx);
  std::lock_guard lock(run.mutex);
  run.scratch.erase(scratch);
}

/// Runs a task on copies of its buffers. A buffer that is both operand and
/// result stays one.
static void runGuarded(const Run &run, const LaunchBuffers &buffers,
                       int64_t count, vae_abi_task task, void *const *slots) {
  size_t number = buffers.bytes.size();
  // Behind the sizes is what gives and takes scratch.
  std::vector<void *> own(slots, slots + number + buffers.sizes + 3);
  std::vector<std::unique_ptr<GuardedBuffer>> copies;
  for (size_t i = number; i-- > 0;) { // the result first
    size_t same = i + 1;
    while (same < number && slots[same] != slots[i])
      ++same;
    if (same < number) {
      own[i] = own[same];
      continue;
    }
    copies.push_back(
        std::make_unique<GuardedBuffer>(buffers.bytes[i], run.edge));
    own[i] = copies.back()->data();
    std::memcpy(own[i], slots[i], buffers.bytes[i]);
    if (i + 1 < number)
      copies.back()->makeReadOnly();
  }
  runParts(run.split, count, task, own.data());
  std::memcpy(slots[number - 1], own[number - 1], buffers.bytes.back());
}

static void parallelFor(void *ctx, int64_t count, int64_t, vae_abi_task task,
                        void *arg) {
  launches = launches + 1;
  Run &run = *static_cast<Run *>(ctx);
  if (run.launches.empty()) {
    runParts(run.split, count, task, arg);
    return;
  }
  runGuarded(run, run.launches.front(), count, task,
             static_cast<void *const *>(arg));
  run.launches = run.launches.drop_front();
}

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

ModelLibrary::ModelLibrary(const std::string &path, std::string &error,
                           llvm::StringRef version)
    : handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (!handle) {
    error = dlerror();
    return;
  }
  auto query = reinterpret_cast<vae_model_query_fn>(
      dlsym(handle, VAE_MODEL_QUERY_SYMBOL));
  table = query ? query(VAE_ABI_VERSION) : nullptr;
  if (!table) {
    error = path + ": no table of this ABI version";
    return;
  }
  ArrayRef versions(table->versions, table->num_versions);
  for (const vae_abi_version &each : versions)
    if (version == each.name)
      table = each.table;
  if (!versions.empty() && llvm::none_of(versions, [&](auto &each) {
        return each.table == table && version == each.name;
      }))
    error = path + ": no version '" + version.str() + "'";
}

ModelLibrary::~ModelLibrary() {
  if (handle)
    dlclose(handle);
}

const vae_abi_entry *ModelLibrary::findEntry(llvm::StringRef name) const {
  for (uint32_t i = 0; i < table->num_entries; ++i)
    if (name == table->entries[i].name)
      return &table->entries[i];
  return nullptr;
}

llvm::SmallVector<int64_t>
ModelLibrary::getShape(const vae_abi_tensor &tensor,
                       ArrayRef<int64_t> symbols) const {
  llvm::SmallVector<int64_t> shape;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
    const vae_abi_dim &dim = tensor.dims[axis];
    int64_t size = dim.offset;
    if (dim.symbol >= 0)
      size += dim.scale *
              (symbols[dim.symbol] / table->symbols[dim.symbol].multiple);
    shape.push_back(size);
  }
  return shape;
}

static size_t getBytes(ArrayRef<int64_t> shape) {
  size_t bytes = sizeof(float);
  for (int64_t size : shape)
    bytes *= size;
  return bytes;
}

/// Compares what the table says of an entry point's steps with a run of `calls`
/// parallel loops.
static std::string checkSteps(const vae_abi_entry &entry,
                              ArrayRef<int64_t> symbols, int64_t calls,
                              ArrayRef<reference::Tensor> outputs) {
  if (calls != entry.num_steps)
    return std::to_string(entry.num_steps) + " steps in the table, " +
           std::to_string(calls) + " in a run";
  std::vector<int64_t> flops(calls, -1), bytes(calls, -1);
  entry.step_costs(symbols.data(), flops.data(), bytes.data());
  int64_t allFlops = 0, allBytes = 0, least = 0;
  for (int64_t step = 0; step < calls; ++step) {
    if (flops[step] < 0 || bytes[step] <= 0)
      return "step " + std::to_string(step) + " costs " +
             std::to_string(flops[step]) + " operations and " +
             std::to_string(bytes[step]) + " bytes";
    allFlops += flops[step];
    allBytes += bytes[step];
  }
  if (int64_t expected = entry.flops(symbols.data()); allFlops != expected)
    return "the steps have " + std::to_string(allFlops) +
           " operations, the entry point " + std::to_string(expected);
  for (const reference::Tensor &output : outputs)
    least += static_cast<int64_t>(getBytes(output.shape));
  return allBytes >= least
             ? ""
             : "the steps touch " + std::to_string(allBytes) +
                   " bytes, the outputs have " + std::to_string(least);
}

std::vector<reference::Tensor>
ModelLibrary::run(const vae_abi_entry &entry, ArrayRef<int64_t> symbols,
                  ArrayRef<reference::Tensor> inputs, Split split, Edge edge,
                  std::string &error, ArrayRef<LaunchBuffers> guarded) const {
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  std::vector<const void *> in;
  std::vector<void *> out;
  for (const reference::Tensor &input : inputs) {
    buffers.push_back(
        std::make_unique<GuardedBuffer>(getBytes(input.shape), edge));
    std::memcpy(buffers.back()->data(), input.data.data(),
                getBytes(input.shape));
    buffers.back()->makeReadOnly();
    in.push_back(buffers.back()->data());
  }
  std::vector<reference::Tensor> outputs(entry.num_outputs);
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    outputs[i].shape = getShape(entry.outputs[i], symbols);
    buffers.push_back(
        std::make_unique<GuardedBuffer>(getBytes(outputs[i].shape), edge));
    buffers.back()->fill(kUnwritten);
    out.push_back(buffers.back()->data());
  }
  int64_t arenaSize = entry.arena_size(symbols.data());
  if (arenaSize % VAE_ARENA_ALIGNMENT)
    error = "an arena of " + std::to_string(arenaSize) + " bytes";
  GuardedBuffer arena(arenaSize, edge);
  arena.fill(kUnwritten);

  vae_abi_call call = {};
  call.struct_size = sizeof(call);
  call.inputs = in.data();
  call.outputs = out.data();
  call.symbols = symbols.data();
  call.arena = arena.data();
  call.parallel_for = parallelFor;
  Run run = {split, edge, guarded, (entry.scratch_size + 63) / 64 * 64, {}};
  call.parallel_ctx = &run;
  call.take_scratch = takeScratch;
  call.give_scratch = giveScratch;
  int64_t before = launches;
  if (int32_t status = entry.run(&call))
    error = "run returned " + std::to_string(status);
  if (std::string wrong =
          checkSteps(entry, symbols, launches - before, outputs);
      !wrong.empty())
    error = wrong;
  if (!guarded.empty() && guarded.size() != entry.num_steps)
    error = "other launches than those of the kernels stage";
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    auto *data = static_cast<const float *>(out[i]);
    outputs[i].data.assign(data,
                           data + getBytes(outputs[i].shape) / sizeof(float));
    for (float value : outputs[i].data)
      if (std::memcmp(&value, &kUnwritten, sizeof(value)) == 0)
        error = std::string("output '") + entry.outputs[i].name +
                "' has elements that were not written";
  }
  return outputs;
}
