// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Tiles.h"

#include "runtime/src/Model.h"
#include "runtime/src/Run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace vae::runtime;

/// Parts along an axis: more take no less memory worth having.
static constexpr int64_t kMostParts = 1 << 16;
/// Different steps along an axis of that many parts: two for each divisor up to
/// the root.
static constexpr uint32_t kMostSteps = 2 * 256 + 2;

static int64_t ceilDiv(int64_t x, int64_t y) { return x / y + (x % y != 0); }

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Range CutAxis::getRange(int64_t i) const {
  return {i * step, std::min((i + 1) * step, size)};
}

Range CutAxis::getPart(int64_t i) const {
  Range part = getRange(i);
  part.begin = std::max<int64_t>(0, part.begin - halo.before);
  part.end = part.end >= size - halo.after ? size : part.end + halo.after;
  if (part.size() >= minimum)
    return part;
  // The model takes no smaller image: reach further, at first backwards.
  int64_t begin = std::max<int64_t>(0, part.end - minimum);
  part.begin = begin / halo.multiple * halo.multiple;
  int64_t least = ceilDiv(minimum, halo.multiple) * halo.multiple;
  if (part.size() < minimum)
    part.end = std::min(size, part.begin + least);
  return part;
}

int64_t CutAxis::getLargest() const {
  int64_t largest = 0;
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, getPart(i).size());
  return largest;
}

int64_t CutAxis::getTotal() const {
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i)
    total += getPart(i).size();
  return total;
}

int64_t RunPlan::getTotal() const {
  int64_t total = 0;
  for (int64_t bytes : {arena, tile, noise, outputs})
    if (__builtin_add_overflow(total, bytes, &total))
      return -1;
  return total;
}

bool RunPlan::fits(const Limits &limits) const {
  int64_t total = getTotal();
  return total >= 0 && total <= limits.total && arena <= limits.arena &&
         tile <= limits.tile && noise <= limits.noise;
}

int64_t RunPlan::getNumParts(int64_t examples) const {
  int64_t parts = ceilDiv(examples, batch);
  for (uint32_t a = 0; a < numAxes; ++a)
    parts *= axes[a].count;
  return parts;
}

double RunPlan::getWork() const {
  double work = 1;
  for (uint32_t a = 0; a < numAxes; ++a)
    work *= static_cast<double>(axes[a].getTotal()) /
            static_cast<double>(axes[a].size);
  return work;
}

bool vae::runtime::isCut(const vae_abi_tensor &tensor, const RunPlan &plan) {
  for (uint32_t d = 1; d < tensor.rank; ++d)
    for (uint32_t a = 0; a < plan.numAxes; ++a)
      if (tensor.dims[d].symbol == static_cast<int32_t>(plan.axes[a].symbol))
        return true;
  return false;
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

namespace {

/// The ways to cut an axis, the coarsest first, with the pixels of each.
struct Steps {
  uint32_t count = 0;
  int64_t steps[kMostSteps];
  int64_t largest[kMostSteps], totals[kMostSteps];

  explicit Steps(CutAxis axis);
};

class Planner {
public:
  Planner(const vae_abi_model &table, const vae_abi_entry &entry,
          const int64_t *symbols, const Limits &limits, Text &message)
      : table(table), entry(entry), symbols(symbols), limits(limits),
        message(message) {}

  vae_status_t run(RunPlan &plan);

private:
  bool measure(RunPlan &plan);
  bool tryBatch(RunPlan &plan, int64_t batch);
  bool trySteps(RunPlan &plan, const Steps *steps, uint32_t first,
                uint32_t second);
  bool cutBatch(RunPlan &plan);
  bool cutImages(RunPlan &plan);
  void findAxes(RunPlan &plan);
  bool uses(uint32_t symbol) const;
  bool hasDynamicImages() const;
  void addNeed(const RunPlan &plan);
  vae_status_t refuse(const RunPlan &whole, const RunPlan *least);

  const vae_abi_model &table;
  const vae_abi_entry &entry;
  const int64_t *symbols;
  const Limits &limits;
  Text &message;
  bool broken = false; // a negative arena
};

} // namespace

Steps::Steps(CutAxis axis) {
  int64_t unit = axis.halo.multiple;
  int64_t units = ceilDiv(axis.size, unit);
  unit *= ceilDiv(units, kMostParts);
  units = ceilDiv(axis.size, unit);
  for (int64_t step = units; count < kMostSteps;) {
    axis.setStep(step * unit);
    steps[count] = axis.step;
    largest[count] = axis.getLargest();
    totals[count++] = axis.getTotal();
    if (step == 1)
      return;
    step = ceilDiv(units, ceilDiv(units, step - 1));
  }
}

/// The bytes that depend on the size of a part. False if it has none.
bool Planner::measure(RunPlan &plan) {
  int64_t part[kMaxSymbols];
  std::copy(symbols, symbols + table.num_symbols, part);
  part[0] = plan.batch;
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    part[plan.axes[a].symbol] = plan.axes[a].getLargest();
  plan.tile = 0;
  for (uint32_t i = 0; i < entry.num_inputs + entry.num_outputs; ++i) {
    const vae_abi_tensor &tensor = i < entry.num_inputs
                                       ? entry.inputs[i]
                                       : entry.outputs[i - entry.num_inputs];
    int64_t bytes = getNumBytes(table, tensor, part);
    if (bytes < 0)
      return false;
    if (isCut(tensor, plan) &&
        __builtin_add_overflow(plan.tile, alignBytes(bytes), &plan.tile))
      return false;
  }
  plan.arena = entry.arena_size(part);
  broken |= plan.arena < 0;
  return plan.arena >= 0;
}

bool Planner::uses(uint32_t symbol) const {
  auto any = [&](const vae_abi_tensor *tensors, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i)
      for (uint32_t d = 1; d < tensors[i].rank; ++d)
        if (tensors[i].dims[d].symbol == static_cast<int32_t>(symbol))
          return true;
    return false;
  };
  return any(entry.inputs, entry.num_inputs);
}

bool Planner::hasDynamicImages() const {
  for (uint32_t s = 1; s < table.num_symbols; ++s)
    if (uses(s))
      return true;
  return false;
}

void Planner::findAxes(RunPlan &plan) {
  plan.numAxes = 0;
  for (uint32_t s = 1; s < table.num_symbols; ++s) {
    const vae_abi_halo &halo = entry.tiling->halos[s];
    if (halo.multiple == 0 || !uses(s) || plan.numAxes == kMaxCutAxes)
      continue;
    CutAxis &axis = plan.axes[plan.numAxes++];
    axis = CutAxis();
    axis.symbol = s;
    axis.size = symbols[s];
    axis.minimum = table.symbols[s].minimum;
    axis.halo = halo;
  }
}

bool Planner::tryBatch(RunPlan &plan, int64_t batch) {
  plan.numAxes = 0;
  plan.batch = batch;
  return measure(plan) && plan.fits(limits);
}

/// Whole images, as few parts of the batch as possible, of even size.
bool Planner::cutBatch(RunPlan &plan) {
  int64_t fits = 0, fails = symbols[0];
  while (fails - fits > 1) {
    int64_t middle = fits + (fails - fits) / 2;
    (tryBatch(plan, middle) ? fits : fails) = middle;
  }
  return fits > 0 &&
         tryBatch(plan, ceilDiv(symbols[0], ceilDiv(symbols[0], fits)));
}

bool Planner::trySteps(RunPlan &plan, const Steps *steps, uint32_t first,
                       uint32_t second) {
  plan.axes[0].setStep(steps[0].steps[first]);
  if (plan.numAxes > 1)
    plan.axes[1].setStep(steps[1].steps[second]);
  return measure(plan) && plan.fits(limits);
}

/// One example at a time; for each step along the first axis the largest that
/// fits along the second, and of these the one with the fewest pixels.
bool Planner::cutImages(RunPlan &plan) {
  plan.batch = 1;
  findAxes(plan);
  if (plan.numAxes == 0)
    return false;
  const Steps steps[] = {Steps(plan.axes[0]),
                         Steps(plan.axes[plan.numAxes - 1])};
  uint32_t columns = plan.numAxes > 1 ? steps[1].count : 1;
  double fewest = INFINITY;
  RunPlan best;
  for (uint32_t i = 0; i < steps[0].count; ++i) {
    uint32_t fails = 0, fits = columns; // `fits` is the first that does
    while (fails < fits) {
      uint32_t middle = fails + (fits - fails) / 2;
      if (trySteps(plan, steps, i, middle))
        fits = middle;
      else
        fails = middle + 1;
    }
    if (fits == columns)
      continue;
    double pixels = static_cast<double>(steps[0].totals[i]);
    if (plan.numAxes > 1)
      pixels *= static_cast<double>(steps[1].totals[fits]);
    if (pixels >= fewest)
      continue;
    trySteps(plan, steps, i, fits);
    fewest = pixels;
    best = plan;
  }
  if (best.batch == 0) { // the least that is possible, for the message
    trySteps(plan, steps, steps[0].count - 1, columns - 1);
    return false;
  }
  plan = best;
  return true;
}

void Planner::addNeed(const RunPlan &plan) {
  message.add("%lld bytes (", static_cast<long long>(plan.getTotal()));
  const char *separator = "";
  auto part = [&](const char *name, int64_t bytes) {
    if (bytes == 0)
      return;
    message.add("%s%s %lld", separator, name, static_cast<long long>(bytes));
    separator = ", ";
  };
  part("arena", plan.arena);
  part("noise", plan.noise);
  part("inputs and outputs of a part", plan.tile);
  part("outputs", plan.outputs);
  message.add(")");
}

vae_status_t Planner::refuse(const RunPlan &whole, const RunPlan *least) {
  if (broken) {
    message.add("entry '%s' claims an arena of negative size: report a defect "
                "of the compiler",
                entry.name);
    return VAE_INTERNAL;
  }
  message.add("entry '%s': at most %lld bytes may be taken, expected at least ",
              entry.name, static_cast<long long>(limits.total));
  addNeed(least ? *least : whole);
  const vae_abi_tiling *tiling = entry.tiling;
  if (least)
    message.add(", in the smallest parts");
  else if (tiling && !tiling->halos)
    message.add("; it cannot run in parts because %s '%s' (%s) depends on the "
                "whole image",
                std::strcmp(tiling->operation, "input") ? "layer" : "tensor",
                tiling->layer, tiling->operation);
  else if (!hasDynamicImages())
    message.add("; it cannot run in parts because its sizes are fixed");
  else
    message.add("; the library does not say how it can run in parts: compile "
                "the model again");
  message.add(". Allow more, or take smaller images%s",
              symbols[0] > 1 ? " or fewer at a time" : "");
  return VAE_OUT_OF_MEMORY;
}

vae_status_t Planner::run(RunPlan &plan) {
  plan = RunPlan();
  plan.noise = getNoiseBytes(table, entry, symbols);
  bool known = plan.noise >= 0;
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    known &= !__builtin_add_overflow(
        plan.outputs, getNumBytes(table, entry.outputs[i], symbols),
        &plan.outputs);
  if (!known) {
    message.add("entry '%s': the sizes are beyond 63 bits", entry.name);
    return VAE_INVALID_ARGUMENT;
  }
  if (tryBatch(plan, symbols[0]))
    return VAE_OK;
  if (broken || !entry.tiling || !entry.tiling->halos)
    return refuse(plan, nullptr);
  RunPlan whole = plan;
  if (cutBatch(plan) || cutImages(plan))
    return VAE_OK;
  return refuse(whole, plan.numAxes ? &plan : nullptr);
}

vae_status_t vae::runtime::planRun(const vae_abi_model &table,
                                   const vae_abi_entry &entry,
                                   const int64_t *symbols, const Limits &limits,
                                   RunPlan &plan, Text &message) {
  return Planner(table, entry, symbols, limits, message).run(plan);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void vae::runtime::copyBox(const ConstBox &from, const Box &to,
                           const int64_t *sizes, uint32_t rank,
                           int64_t elementSize) {
  for (uint32_t d = 0; d < rank; ++d)
    if (sizes[d] <= 0)
      return;
  // Axes that are whole on both sides are one piece with the axis before.
  uint32_t axes = rank;
  int64_t piece = elementSize;
  while (axes > 1 && sizes[axes - 1] == from.dims[axes - 1] &&
         sizes[axes - 1] == to.dims[axes - 1])
    piece *= sizes[--axes];
  --axes; // copied in one go
  int64_t bytes = piece * sizes[axes];
  int64_t index[kMaxRank] = {};
  while (true) {
    int64_t source = 0, target = 0;
    for (uint32_t d = 0; d <= axes; ++d) {
      source = source * from.dims[d] + from.begin[d] + index[d];
      target = target * to.dims[d] + to.begin[d] + index[d];
    }
    std::memcpy(to.data + target * piece, from.data + source * piece,
                static_cast<size_t>(bytes));
    uint32_t d = axes;
    while (d > 0 && ++index[d - 1] == sizes[d - 1])
      index[--d] = 0;
    if (d == 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// The C API
//===----------------------------------------------------------------------===//

/// Operations of all parts together; -1 if the sum overflows.
static int64_t getFlops(const vae_abi_model &table, const vae_abi_entry &entry,
                        const int64_t *symbols, const RunPlan &plan) {
  int64_t part[kMaxSymbols];
  std::copy(symbols, symbols + table.num_symbols, part);
  int64_t counts[kMaxCutAxes] = {1, 1}, total = 0;
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    counts[a] = plan.axes[a].count;
  for (int64_t first = 0; first < symbols[0]; first += plan.batch)
    for (int64_t i = 0; i < counts[0]; ++i)
      for (int64_t j = 0; j < counts[1]; ++j) {
        part[0] = std::min(plan.batch, symbols[0] - first);
        const int64_t indices[] = {i, j};
        for (uint32_t a = 0; a < plan.numAxes; ++a)
          part[plan.axes[a].symbol] = plan.axes[a].getPart(indices[a]).size();
        if (__builtin_add_overflow(total, entry.flops(part), &total))
          return -1;
      }
  return total;
}

vae_status_t vae_model_plan_run(const vae_model_t *model, const char *entry,
                                const int64_t *symbols, uint32_t num_symbols,
                                uint64_t max_memory, vae_run_plan_t *out_plan,
                                int64_t *out_part, char *message,
                                size_t message_size) {
  Text text(message, message_size);
  if (!model || !symbols || !out_plan ||
      out_plan->struct_size < sizeof(vae_run_plan_t) ||
      num_symbols != model->table->num_symbols) {
    text.add("vae_model_plan_run: a pointer is NULL, the plan's struct_size is "
             "unknown, or the number of symbols is not the model's");
    return VAE_INVALID_ARGUMENT;
  }
  const vae_abi_model &table = *model->table;
  const vae_abi_entry *found = nullptr;
  RunPlan plan;
  Limits limits;
  if (max_memory && max_memory < INT64_MAX)
    limits.total = static_cast<int64_t>(max_memory);
  vae_status_t status = getEntry(table, entry, found, text);
  if (!status)
    status = checkSymbols(table, symbols, text);
  if (!status)
    status = checkSizes(table, *found, symbols, text);
  if (!status)
    status = planRun(table, *found, symbols, limits, plan, text);
  if (status)
    return status;
  out_plan->parts = plan.getNumParts(symbols[0]);
  out_plan->arena_bytes = plan.arena;
  out_plan->noise_bytes = plan.noise;
  out_plan->copy_bytes = plan.tile;
  out_plan->output_bytes = plan.outputs;
  out_plan->flops = getFlops(table, *found, symbols, plan);
  out_plan->pixels = plan.getWork();
  if (out_part) {
    std::copy(symbols, symbols + num_symbols, out_part);
    out_part[0] = plan.batch;
    for (uint32_t a = 0; a < plan.numAxes; ++a)
      out_part[plan.axes[a].symbol] = plan.axes[a].getLargest();
  }
  return VAE_OK;
}
