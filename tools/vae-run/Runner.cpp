// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Runner.h"

#include "tools/vae-run/Error.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

using namespace vaerun;

static constexpr int64_t kChunk = 64;
static constexpr int64_t kMostArena = int64_t(1) << 30;

namespace {
/// One tensor of a job, seen through a window of `chunk` examples.
struct Window {
  Shape dims;     // the batch first
  int64_t stride; // elements an example
  float *data;    // of the first example; null: generated
  bool moves;     // false: the same example for all
  std::vector<float> repeated;

  vae_tensor_t get(int64_t first, int64_t count) {
    dims[0] = count;
    float *at = data && moves ? data + first * stride : data;
    return {at, VAE_DTYPE_F32, static_cast<uint32_t>(dims.size()), dims.data()};
  }
};
} // namespace

int64_t Runner::chooseChunk(const Job &job) const {
  if (chunk)
    return std::min(*chunk, job.getExamples());
  const vae_abi_symbol &batch = model.getTable().symbols[0];
  if (batch.flags & VAE_SYMBOL_WHOLE)
    return job.getExamples();
  // Clips are kept together.
  auto roundUp = [&](int64_t count) {
    return (count + batch.multiple - 1) / batch.multiple * batch.multiple;
  };
  Sizes sizes = job.sizes;
  sizes[0] = std::min(roundUp(kChunk), job.getExamples());
  auto fits = [&] {
    if (!maxMemory)
      return job.entry->arena_size(sizes.data()) <= kMostArena;
    auto plan =
        findPlan(model, *job.entry, sizes, getLimit(job, sizes[0]), threads)
            .plan;
    return plan && !plan->isCut();
  };
  while (sizes[0] > batch.multiple && !fits())
    sizes[0] = roundUp((sizes[0] + 1) / 2);
  return sizes[0];
}

/// What is left of the limit beside the outputs of other chunks.
uint64_t Runner::getLimit(const Job &job, int64_t size) const {
  if (!maxMemory)
    return 0;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < job.entry->num_outputs; ++i) {
    auto example = countElements(
        getShape(model.getTable(), job.entry->outputs[i], job.sizes, 1));
    bytes += sizeof(float) * static_cast<uint64_t>(example.value_or(0)) *
             static_cast<uint64_t>(job.getExamples() - size);
  }
  if (bytes >= maxMemory)
    fail("--max-memory: expected more than the outputs take, found ", maxMemory,
         " bytes, while the outputs of all but ", size, " of ",
         job.getExamples(), " examples take ", bytes,
         "; allow more, or run fewer examples");
  return maxMemory - bytes;
}

/// Floats that fill the machine's memory: asking for more would not fail, but
/// end in the kernel's hands.
static uint64_t getMostElements() {
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0)
    return UINT64_MAX;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) / 4;
}

size_t vaerun::countFitting(const vae_abi_model &table,
                            const vae_abi_tensor &tensor, const Job &job) {
  auto elements =
      countElements(getShape(table, tensor, job.sizes, job.getExamples()));
  if (!elements || static_cast<uint64_t>(*elements) > getMostElements())
    fail("'", tensor.name, "': expected sizes that fit in memory, found ",
         job.getExamples(), " examples of shape ",
         formatShape(getShape(table, tensor, job.sizes, 1)),
         "; choose smaller ones");
  return static_cast<size_t>(*elements);
}

static Window makeWindow(const vae_abi_model &table,
                         const vae_abi_tensor &tensor, const Job &job,
                         int64_t chunk) {
  requireF32(tensor);
  if (tensor.rank == 0 || tensor.dims[0].symbol != 0)
    throw std::runtime_error(
        concat("'", tensor.name, "' has no batch as its first dimension"));
  Window window;
  window.dims = getShape(table, tensor, job.sizes, chunk);
  countFitting(table, tensor, job);
  window.stride = 1;
  for (size_t d = 1; d < window.dims.size(); ++d)
    window.stride *= window.dims[d];
  window.data = nullptr;
  window.moves = true;
  return window;
}

static Window makeInput(const vae_abi_model &table,
                        const vae_abi_tensor &tensor, const Job &job,
                        const Data &data, int64_t chunk) {
  Window window = makeWindow(table, tensor, job, chunk);
  if (data.examples == 0)
    return window;
  if (data.examples == 1 && job.getExamples() > 1) {
    window.moves = false;
    for (int64_t i = 0; i < chunk; ++i)
      window.repeated.insert(window.repeated.end(), data.values.begin(),
                             data.values.end());
    window.data = window.repeated.data();
    return window;
  }
  // The runtime takes a pointer to non-const and only reads inputs.
  window.data = const_cast<float *>(data.values.data());
  return window;
}

std::vector<Output> Runner::run(const Job &job, uint64_t stream,
                                Progress &progress) {
  const vae_abi_model &table = model.getTable();
  const vae_abi_entry &entry = *job.entry;
  int64_t size = chooseChunk(job);
  std::vector<Window> inputs, results;
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    inputs.push_back(
        makeInput(table, entry.inputs[i], job, job.inputs[i], size));
  std::vector<Output> outputs(entry.num_outputs);
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    results.push_back(makeWindow(table, entry.outputs[i], job, size));
    outputs[i].tensor = &entry.outputs[i];
    outputs[i].shape = results[i].dims;
    outputs[i].shape[0] = job.getExamples();
    outputs[i].values.resize(
        static_cast<size_t>(results[i].stride * job.getExamples()));
    results[i].data = outputs[i].values.data();
  }
  Sizes sizes = job.sizes;
  sizes[0] = size;
  uint64_t limit = getLimit(job, size);
  if (!session) {
    session.emplace(model, threads, limit);
    session->setWarning([](const std::string &text) { warn(text); });
  }
  session->prepare(entry, sizes);
  if (limit)
    plan = findPlan(model, entry, sizes, limit, threads).plan;
  for (int64_t first = 0; first < job.getExamples(); first += size) {
    int64_t count = std::min(size, job.getExamples() - first);
    std::vector<vae_tensor_t> in, out;
    for (Window &window : inputs)
      in.push_back(window.get(first, count));
    for (Window &window : results)
      out.push_back(window.get(first, count));
    vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
    options.seed = job.seed;
    options.stream = stream;
    options.first_example = static_cast<uint64_t>(first);
    auto start = std::chrono::steady_clock::now();
    session->run(entry, options, in, out);
    seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    progress.advance(count);
  }
  return outputs;
}
