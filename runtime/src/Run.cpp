// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running an entry point: find the sizes, check everything, make noise, go.
#include "runtime/src/Run.h"

#include "runtime/src/Options.h"
#include "runtime/src/Random.h"
#include "runtime/src/Table.h"

#include <algorithm>

using namespace vae::runtime;

// A number takes about 30 ns: a part of this many is worth a thread.
static constexpr int64_t kNoiseGrain = 512;

//===----------------------------------------------------------------------===//
// Entry points and symbols
//===----------------------------------------------------------------------===//

vae_status_t vae::runtime::getEntry(const vae_abi_model &table,
                                    const char *name,
                                    const vae_abi_entry *&entry,
                                    Text &message) {
  if (!name) {
    message.add("the name of the entry point is NULL");
    return VAE_INVALID_ARGUMENT;
  }
  entry = findEntry(table, name);
  if (entry)
    return VAE_OK;
  message.add("no entry point '%s'; the library has ", name);
  for (uint32_t i = 0; i < table.num_entries; ++i)
    message.add("%s%s", i ? ", " : "", table.entries[i].name);
  return VAE_NOT_FOUND;
}

static void addRule(Text &message, const vae_abi_symbol &symbol) {
  message.add("at least %lld", static_cast<long long>(symbol.minimum));
  if (symbol.remainder)
    message.add(" and %lld more than a multiple of %lld",
                static_cast<long long>(symbol.remainder),
                static_cast<long long>(symbol.multiple));
  else if (symbol.multiple != 1)
    message.add(" and a multiple of %lld",
                static_cast<long long>(symbol.multiple));
}

vae_status_t vae::runtime::checkSymbols(const vae_abi_model &table,
                                        const int64_t *symbols, Text &message) {
  for (uint32_t s = 0; s < table.num_symbols; ++s) {
    const vae_abi_symbol &symbol = table.symbols[s];
    if (isValid(symbol, symbols[s]))
      continue;
    message.add("%s: expected ", symbol.name);
    addRule(message, symbol);
    message.add(", found %lld", static_cast<long long>(symbols[s]));
    return VAE_INVALID_ARGUMENT;
  }
  return VAE_OK;
}

vae_status_t vae::runtime::checkSizes(const vae_abi_model &table,
                                      const vae_abi_entry &entry,
                                      const int64_t *symbols, Text &message) {
  for (uint32_t i = 0; i < entry.num_inputs + entry.num_outputs; ++i) {
    bool input = i < entry.num_inputs;
    const vae_abi_tensor &tensor =
        input ? entry.inputs[i] : entry.outputs[i - entry.num_inputs];
    int64_t bytes = getNumBytes(table, tensor, symbols);
    if (bytes >= 0)
      continue;
    message.add("entry '%s': %s '%s' of shape ", entry.name,
                input ? "input" : "output", tensor.name);
    addShape(message, table, tensor);
    message.add(" has no size, or one beyond 63 bits, for");
    for (uint32_t s = 0; s < table.num_symbols; ++s)
      message.add("%s %s = %lld", s ? "," : "", table.symbols[s].name,
                  static_cast<long long>(symbols[s]));
    return VAE_INVALID_ARGUMENT;
  }
  return VAE_OK;
}

//===----------------------------------------------------------------------===//
// Noise
//===----------------------------------------------------------------------===//

int64_t vae::runtime::getNoiseBytes(const vae_abi_model &table,
                                    const vae_abi_entry &entry,
                                    const int64_t *symbols) {
  int64_t total = 0;
  for (uint32_t i = 0; i < entry.num_inputs; ++i) {
    if (entry.inputs[i].role != VAE_ROLE_NOISE)
      continue;
    int64_t bytes = getNumBytes(table, entry.inputs[i], symbols);
    bytes = bytes < 0 ? -1 : alignBytes(bytes);
    if (bytes < 0 || __builtin_add_overflow(total, bytes, &total))
      return -1;
  }
  return total;
}

namespace {

/// One NOISE input. The noise of an example is one sequence, which its NOISE
/// inputs divide among them in their order.
struct NoiseJob {
  uint64_t seed, stream;
  uint64_t firstExample;
  uint64_t perExample; // numbers of all NOISE inputs
  uint64_t offset;     // numbers of the inputs before this one
  uint64_t size;       // numbers of this one
  float *out;

  static void run(void *arg, int64_t begin, int64_t end) {
    const NoiseJob &job = *static_cast<NoiseJob *>(arg);
    uint64_t i = begin, stop = end;
    while (i < stop) {
      uint64_t example = i / job.size, within = i % job.size;
      uint64_t count = std::min(job.size - within, stop - i);
      uint64_t element =
          (job.firstExample + example) * job.perExample + job.offset + within;
      vae_noise_normal(job.seed, job.stream, element, count, job.out + i);
      i += count;
    }
  }
};

/// One call of vae_session_run.
class Run {
public:
  Run(vae_session_t &session, const vae_abi_entry &entry,
      const vae_tensor_t *inputs, const vae_tensor_t *outputs)
      : session(session), table(session.table), entry(entry), inputs(inputs),
        outputs(outputs), message(session.newMessage()) {}

  vae_status_t check(uint32_t numInputs, uint32_t numOutputs);
  vae_status_t execute(const vae_run_options_t &options);

private:
  vae_status_t checkCount(const char *kind, const vae_abi_tensor *tensors,
                          uint32_t expected, uint32_t found);
  vae_status_t findSymbols();
  vae_status_t findSymbolsIn(uint32_t input, bool *known);
  vae_status_t checkTensor(const char *kind, const vae_abi_tensor &tensor,
                           const vae_tensor_t &found, Extent &extent);
  vae_status_t checkShape(const char *kind, const vae_abi_tensor &tensor,
                          const vae_tensor_t &found);
  vae_status_t checkTensors();
  vae_status_t checkOverlap();
  void makeNoise(const vae_run_options_t &options);
  vae_status_t findPlan();
  vae_status_t findWholePlan(int64_t noise);
  vae_status_t findPartPlan(bool hasNoise);

  static bool isGenerated(const vae_abi_tensor &tensor,
                          const vae_tensor_t &found) {
    return tensor.role == VAE_ROLE_NOISE && !found.data;
  }
  void begin(const char *kind, const vae_abi_tensor &tensor) {
    message.add("entry '%s', %s '%s': ", entry.name, kind, tensor.name);
  }

  vae_session_t &session;
  const vae_abi_model &table;
  const vae_abi_entry &entry;
  const vae_tensor_t *inputs, *outputs;
  Text message;
};

} // namespace

void Run::makeNoise(const vae_run_options_t &options) {
  uint64_t batch = session.symbols[0];
  uint64_t perExample = 0;
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    if (entry.inputs[i].role == VAE_ROLE_NOISE)
      perExample +=
          getNumElements(table, entry.inputs[i], session.symbols) / batch;
  uint64_t offset = 0;
  auto *next = static_cast<char *>(session.noise.getData());
  for (uint32_t i = 0; i < entry.num_inputs; ++i) {
    const vae_abi_tensor &tensor = entry.inputs[i];
    if (tensor.role != VAE_ROLE_NOISE)
      continue;
    int64_t count = getNumElements(table, tensor, session.symbols);
    uint64_t size = count / batch;
    if (isGenerated(tensor, inputs[i])) {
      NoiseJob job = {options.seed,
                      options.stream,
                      options.first_example,
                      perExample,
                      offset,
                      size,
                      reinterpret_cast<float *>(next)};
      session.parallelFor(count, kNoiseGrain, NoiseJob::run, &job);
      session.inputs[i] = next;
      next += alignBytes(count * sizeof(float));
    }
    offset += size;
  }
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

vae_status_t Run::checkCount(const char *kind, const vae_abi_tensor *tensors,
                             uint32_t expected, uint32_t found) {
  if (expected == found)
    return VAE_OK;
  message.add("entry '%s': expected %u %ss (", entry.name, expected, kind);
  for (uint32_t i = 0; i < expected; ++i)
    message.add("%s%s", i ? ", " : "", tensors[i].name);
  message.add("), found %u", found);
  return VAE_INVALID_ARGUMENT;
}

vae_status_t Run::checkShape(const char *kind, const vae_abi_tensor &tensor,
                             const vae_tensor_t &found) {
  bool equal = found.rank == tensor.rank && found.dims;
  for (uint32_t d = 0; equal && d < tensor.rank; ++d)
    equal = found.dims[d] == getDim(table, tensor.dims[d], session.symbols);
  if (equal)
    return VAE_OK;
  begin(kind, tensor);
  message.add("expected shape ");
  addShape(message, table, tensor, session.symbols);
  message.add(", found ");
  if (found.dims)
    addShape(message, found.dims, found.rank);
  else
    message.add("none (dims is NULL)");
  return VAE_INVALID_ARGUMENT;
}

/// Takes the symbols that are not known yet from the dims of an input.
vae_status_t Run::findSymbolsIn(uint32_t input, bool *known) {
  const vae_abi_tensor &tensor = entry.inputs[input];
  const vae_tensor_t &found = inputs[input];
  if (!found.dims && isGenerated(tensor, found))
    return VAE_OK;
  if (!found.dims || found.rank != tensor.rank) {
    begin("input", tensor);
    message.add("expected shape ");
    addShape(message, table, tensor);
    message.add(", found ");
    if (found.dims)
      addShape(message, found.dims, found.rank);
    else
      message.add("none (dims is NULL)");
    return VAE_INVALID_ARGUMENT;
  }
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    if (dim.symbol < 0 || known[dim.symbol])
      continue;
    const vae_abi_symbol &symbol = table.symbols[dim.symbol];
    int64_t &value = session.symbols[dim.symbol];
    int64_t rest;
    if (__builtin_sub_overflow(found.dims[d], dim.offset, &rest) ||
        rest % dim.scale != 0 ||
        __builtin_mul_overflow(rest / dim.scale, symbol.multiple, &value) ||
        __builtin_add_overflow(value, symbol.remainder, &value) ||
        !isValid(symbol, value)) {
      begin("input", tensor);
      message.add("expected shape ");
      addShape(message, table, tensor);
      message.add(" with %s ", symbol.name);
      addRule(message, symbol);
      message.add(", found ");
      addShape(message, found.dims, found.rank);
      return VAE_INVALID_ARGUMENT;
    }
    known[dim.symbol] = true;
  }
  return VAE_OK;
}

vae_status_t Run::findSymbols() {
  bool known[kMaxSymbols] = {};
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    if (vae_status_t status = findSymbolsIn(i, known))
      return status;
  for (uint32_t i = 0; i < entry.num_inputs; ++i) {
    const vae_abi_tensor &tensor = entry.inputs[i];
    for (uint32_t d = 0; d < tensor.rank; ++d)
      if (tensor.dims[d].symbol >= 0 && !known[tensor.dims[d].symbol]) {
        begin("input", tensor);
        message.add("expected its dims, which alone tell %s, found NULL",
                    table.symbols[tensor.dims[d].symbol].name);
        return VAE_INVALID_ARGUMENT;
      }
  }
  // What no tensor of this entry depends on may have any value.
  for (uint32_t s = 0; s < table.num_symbols; ++s)
    if (!known[s]) {
      const vae_abi_symbol &symbol = table.symbols[s];
      session.symbols[s] = getLeast(symbol);
    }
  return checkSizes(table, entry, session.symbols, message);
}

vae_status_t Run::checkTensor(const char *kind, const vae_abi_tensor &tensor,
                              const vae_tensor_t &found, Extent &extent) {
  bool generated = isGenerated(tensor, found);
  if (!generated || found.dims)
    if (vae_status_t status = checkShape(kind, tensor, found))
      return status;
  extent = Extent();
  if (generated)
    return VAE_OK;
  if (found.dtype != tensor.dtype) {
    begin(kind, tensor);
    message.add("expected elements of type %s, found %s (%d)",
                getDtypeName(tensor.dtype), getDtypeName(found.dtype),
                found.dtype);
    return VAE_INVALID_ARGUMENT;
  }
  if (!found.data) {
    begin(kind, tensor);
    message.add("its data is NULL");
    return VAE_INVALID_ARGUMENT;
  }
  extent.begin = reinterpret_cast<uintptr_t>(found.data);
  if (extent.begin % getDtypeSize(tensor.dtype) != 0) {
    begin(kind, tensor);
    message.add("expected data at a multiple of %lld bytes, found %p",
                static_cast<long long>(getDtypeSize(tensor.dtype)), found.data);
    return VAE_INVALID_ARGUMENT;
  }
  extent.end = extent.begin + getNumBytes(table, tensor, session.symbols);
  if (extent.end < extent.begin) {
    begin(kind, tensor);
    message.add("its data does not fit into memory at %p", found.data);
    return VAE_INVALID_ARGUMENT;
  }
  return VAE_OK;
}

vae_status_t Run::checkTensors() {
  Extent *extent = session.extents;
  for (uint32_t i = 0; i < entry.num_inputs; ++i) {
    if (vae_status_t status =
            checkTensor("input", entry.inputs[i], inputs[i], *extent++))
      return status;
    session.inputs[i] = inputs[i].data;
  }
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    if (vae_status_t status =
            checkTensor("output", entry.outputs[i], outputs[i], *extent++))
      return status;
    session.outputs[i] = outputs[i].data;
  }
  return VAE_OK;
}

vae_status_t Run::checkOverlap() {
  const Extent *extents = session.extents;
  uint32_t count = entry.num_inputs + entry.num_outputs;
  for (uint32_t o = entry.num_inputs; o < count; ++o)
    for (uint32_t i = 0; i < o; ++i) {
      if (extents[i].begin >= extents[o].end ||
          extents[o].begin >= extents[i].end)
        continue;
      bool input = i < entry.num_inputs;
      begin("output", entry.outputs[o - entry.num_inputs]);
      message.add("its data overlaps %s '%s'; give it memory of its own",
                  input ? "input" : "output",
                  input ? entry.inputs[i].name
                        : entry.outputs[i - entry.num_inputs].name);
      return VAE_INVALID_ARGUMENT;
    }
  return VAE_OK;
}

vae_status_t Run::check(uint32_t numInputs, uint32_t numOutputs) {
  vae_status_t status =
      checkCount("input", entry.inputs, entry.num_inputs, numInputs);
  if (!status)
    status = checkCount("output", entry.outputs, entry.num_outputs, numOutputs);
  if (!status && (!inputs || !outputs)) {
    message.add("entry '%s': %s is NULL", entry.name,
                inputs ? "outputs" : "inputs");
    status = VAE_INVALID_ARGUMENT;
  }
  if (!status)
    status = findSymbols();
  if (!status)
    status = checkTensors();
  return status ? status : checkOverlap();
}

int32_t vae::runtime::callEntry(vae_session_t &session,
                                const vae_abi_entry &entry,
                                const void *const *inputs, void *const *outputs,
                                const int64_t *symbols, void *arena) {
  vae_abi_call call = {};
  call.struct_size = sizeof(call);
  call.inputs = inputs;
  call.outputs = outputs;
  call.symbols = symbols;
  call.arena = arena;
  call.parallel_for = [](void *ctx, int64_t count, int64_t grain,
                         vae_abi_task task, void *arg) {
    static_cast<vae_session_t *>(ctx)->parallelFor(count, grain, task, arg);
  };
  call.parallel_ctx = &session;
  call.take_scratch = [](void *ctx) {
    return static_cast<vae_session_t *>(ctx)->tasks.take();
  };
  call.give_scratch = [](void *ctx, void *scratch) {
    static_cast<vae_session_t *>(ctx)->tasks.give(scratch);
  };
  call.clamped = &session.clamped;
  return entry.run(&call);
}

vae_status_t Run::findPlan() {
  int64_t noise = 0;
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    if (isGenerated(entry.inputs[i], inputs[i]))
      noise += alignBytes(getNumBytes(table, entry.inputs[i], session.symbols));
  bool enough = noise <= session.noise.getSize();
  return session.options.max_memory ? findPartPlan(enough)
                                    : findWholePlan(noise);
}

vae_status_t Run::findWholePlan(int64_t noise) {
  RunPlan plan;
  plan.batch = session.symbols[0];
  plan.numSegments = 1;
  plan.segments[0].entry = &entry;
  planScratch(entry, session.getLimits().threads, plan);
  int64_t arena = plan.segments[0].arena = entry.arena_size(session.symbols);
  if (arena >= 0 && plan.getBlock() <= session.block.getSize() &&
      noise <= session.noise.getSize()) {
    session.setPlan(entry, session.symbols, plan);
    return VAE_OK;
  }
  message.add("entry '%s' needs an arena of %lld bytes and %lld bytes of "
              "noise, the session has %lld and %lld; call "
              "vae_session_prepare for these sizes first",
              entry.name, static_cast<long long>(arena),
              static_cast<long long>(noise),
              static_cast<long long>(session.block.getSize()),
              static_cast<long long>(session.noise.getSize()));
  return arena < 0 ? VAE_INTERNAL : VAE_NOT_PREPARED;
}

/// The plan of the last call of vae_session_prepare, or of the last run, if it
/// is of these sizes; otherwise one that what is reserved allows.
vae_status_t Run::findPartPlan(bool hasNoise) {
  Limits limits = session.getLimits();
  limits.block = session.block.getSize();
  if (hasNoise && session.isPlanned(entry, session.symbols, limits))
    return VAE_OK;
  RunPlan plan;
  char unused[1];
  Text silent(unused, sizeof(unused));
  if (hasNoise &&
      planRun(table, entry, session.symbols, limits, plan, silent) == VAE_OK) {
    session.setPlan(entry, session.symbols, plan);
    return VAE_OK;
  }
  if (vae_status_t status = planRun(table, entry, session.symbols,
                                    session.getLimits(), plan, message))
    return status;
  message.add("entry '%s' is not prepared for these sizes; call "
              "vae_session_prepare for them first",
              entry.name);
  return VAE_NOT_PREPARED;
}

vae_status_t Run::execute(const vae_run_options_t &options) {
  if (vae_status_t status = findPlan())
    return status;
  session.running = true;
  session.steps = 0;
  session.cancelled = false;
  session.clamped = nullptr;
  makeNoise(options);
  const RunPlan &plan = session.plan;
  auto *block = static_cast<char *>(session.block.getData());
  session.tasks.reset(block, plan.scratchPiece, session.getLimits().threads);
  int32_t result = 0;
  if (!plan.isWhole(session.symbols[0]))
    result = runParts(session);
  else if (!session.cancelled)
    result = callEntry(session, entry, session.inputs, session.outputs,
                       session.symbols, block + plan.scratch);
  session.running = false;
  if (session.cancelled) {
    message.add("entry '%s': cancelled by the progress callback before step "
                "%llu",
                entry.name, static_cast<unsigned long long>(session.steps));
    return VAE_CANCELLED;
  }
  if (result) {
    message.add("entry '%s' failed with code %d: report a defect of the "
                "compiler",
                entry.name, result);
    return VAE_INTERNAL;
  }
  return VAE_OK;
}

vae_status_t vae_session_run(vae_session_t *session, const char *entry,
                             const vae_run_options_t *options,
                             const vae_tensor_t *inputs, uint32_t num_inputs,
                             const vae_tensor_t *outputs,
                             uint32_t num_outputs) {
  if (!session)
    return VAE_INVALID_ARGUMENT;
  Text message = session->newMessage();
  if (vae_status_t status = session->checkIdle(message))
    return status;
  const vae_abi_entry *found = nullptr;
  if (vae_status_t status = getEntry(session->table, entry, found, message))
    return status;
  vae_run_options_t wanted;
  if (!readOptions(options, wanted) || wanted.flags) {
    message.add("the run options have an unknown size or flag, or a reserved "
                "field that is not 0; start from VAE_RUN_OPTIONS_INIT");
    return VAE_INVALID_ARGUMENT;
  }
  Run run(*session, *found, inputs, outputs);
  if (vae_status_t status = run.check(num_inputs, num_outputs))
    return status;
  return run.execute(wanted);
}
