// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Plan.h"

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

/// Bytes of the result if there is a sum; -1 if it overflows.
static int64_t sumOf(std::initializer_list<int64_t> numbers) {
  int64_t total = 0;
  for (int64_t number : numbers)
    if (number < 0 || __builtin_add_overflow(total, number, &total))
      return -1;
  return total;
}

static int64_t ceilDiv(int64_t x, int64_t y) { return x / y + (x % y != 0); }

int64_t SegmentPlan::getBlock() const {
  int64_t beside = sumOf({tile, taken, given});
  return sumOf({beside ? alignBytes(arena) : arena, beside});
}

int64_t SegmentPlan::getNumParts() const {
  int64_t parts = 1;
  for (uint32_t a = 0; a < numAxes; ++a)
    parts *= axes[a].count;
  return parts;
}

int64_t RunPlan::getBlock() const {
  int64_t most = 0;
  for (uint32_t s = 0; s < numSegments; ++s) {
    int64_t block = segments[s].getBlock();
    if (block < 0)
      return INT64_MAX;
    most = std::max(most, block);
  }
  int64_t total = sumOf({scratch, most});
  return total < 0 ? INT64_MAX : total;
}

void vae::runtime::planScratch(const vae_abi_entry &entry, int64_t threads,
                               RunPlan &plan) {
  // A segment does what a part of the whole does.
  plan.scratchPiece = alignBytes(entry.scratch_size);
  plan.scratch = plan.scratchPiece * threads;
}

int64_t RunPlan::getTotal() const {
  return sumOf({getBlock(), noise, outputs});
}

bool vae::runtime::isCut(const vae_abi_tensor &tensor,
                         const SegmentPlan &plan) {
  for (uint32_t d = 1; d < tensor.rank; ++d)
    for (uint32_t a = 0; a < plan.numAxes; ++a)
      if (tensor.dims[d].symbol == static_cast<int32_t>(plan.axes[a].symbol))
        return true;
  return false;
}

/// Operations of all parts of a segment; INFINITY if there is no number.
static double getFlops(const vae_abi_model &table, const SegmentPlan &plan,
                       const int64_t *symbols) {
  int64_t part[kMaxSymbols];
  std::copy(symbols, symbols + table.num_symbols, part);
  int64_t counts[kMaxCutAxes] = {1, 1};
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    counts[a] = plan.axes[a].count;
  double total = 0;
  // Parts of one size, of which there are mostly few, are counted together.
  auto each = [&](uint32_t axis, int64_t i) -> int64_t {
    const CutAxis &cut = plan.axes[axis];
    int64_t size = cut.getPart(i).size(), same = 1;
    while (i + same < cut.count && cut.getPart(i + same).size() == size)
      ++same;
    part[cut.symbol] = size;
    return same;
  };
  for (int64_t i = 0, rows = 1; i < counts[0]; i += rows) {
    rows = plan.numAxes > 0 ? each(0, i) : 1;
    for (int64_t j = 0, columns = 1; j < counts[1]; j += columns) {
      columns = plan.numAxes > 1 ? each(1, j) : 1;
      total += static_cast<double>(rows * columns) *
               static_cast<double>(plan.entry->flops(part));
    }
  }
  return total;
}

namespace {

/// The ways to cut an axis, the coarsest first, with the pixels of each.
struct Steps {
  uint32_t count = 0;
  int64_t steps[kMostSteps];
  int64_t totals[kMostSteps];

  explicit Steps(CutAxis axis);
};

class Planner {
public:
  Planner(const vae_abi_model &table, const vae_abi_entry &entry,
          const int64_t *symbols, const Limits &limits, Text &message)
      : table(table), entry(entry), symbols(symbols), limits(limits),
        message(message) {
    std::copy(symbols, symbols + table.num_symbols, example);
    example[0] = 1;
  }

  vae_status_t run(RunPlan &plan);

private:
  bool measure(SegmentPlan &plan, int64_t batch);
  bool tryBatch(RunPlan &plan, int64_t batch);
  bool trySteps(SegmentPlan &plan, const Steps *steps, uint32_t first,
                uint32_t second);
  bool cutBatch(RunPlan &plan);
  bool cutSegment(SegmentPlan &plan);
  bool cutImages(RunPlan &plan);
  void findAxes(SegmentPlan &plan);
  bool uses(uint32_t symbol) const;
  bool hasDynamicImages() const;
  int64_t getBytes(const vae_abi_tensor &tensor) const {
    return alignBytes(getNumBytes(table, tensor, example));
  }
  vae_status_t refuse(const RunPlan &whole);

  const vae_abi_model &table;
  const vae_abi_entry &entry;
  const int64_t *symbols;
  int64_t example[kMaxSymbols]; // the symbols with a batch of 1
  const Limits &limits;
  Text &message;
  int64_t left = 0;    // for the block
  int64_t least = -1;  // block in the smallest parts; -1: not cut
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
    totals[count++] = axis.getTotal();
    if (step == 1)
      return;
    step = ceilDiv(units, ceilDiv(units, step - 1));
  }
}

/// The bytes that depend on the size of a part. False if it has none.
bool Planner::measure(SegmentPlan &plan, int64_t batch) {
  int64_t part[kMaxSymbols];
  std::copy(symbols, symbols + table.num_symbols, part);
  part[0] = batch;
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    part[plan.axes[a].symbol] = plan.axes[a].getLargest();
  const vae_abi_entry &segment = *plan.entry;
  plan.tile = 0;
  for (uint32_t i = 0; i < segment.num_inputs + segment.num_outputs; ++i) {
    const vae_abi_tensor &tensor =
        i < segment.num_inputs ? segment.inputs[i]
                               : segment.outputs[i - segment.num_inputs];
    int64_t bytes = getNumBytes(table, tensor, part);
    if (bytes < 0)
      return false;
    if (isCut(tensor, plan))
      plan.tile = sumOf({plan.tile, alignBytes(bytes)});
    if (plan.tile < 0)
      return false;
  }
  plan.arena = segment.arena_size(part);
  broken |= plan.arena < 0;
  return plan.getBlock() >= 0;
}

bool Planner::uses(uint32_t symbol) const {
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    for (uint32_t d = 1; d < entry.inputs[i].rank; ++d)
      if (entry.inputs[i].dims[d].symbol == static_cast<int32_t>(symbol))
        return true;
  return false;
}

bool Planner::hasDynamicImages() const {
  for (uint32_t s = 1; s < table.num_symbols; ++s)
    if (uses(s))
      return true;
  return false;
}

void Planner::findAxes(SegmentPlan &plan) {
  plan.numAxes = 0;
  for (uint32_t s = 1; s < table.num_symbols; ++s) {
    const vae_abi_halo &halo = plan.entry->tiling->halos[s];
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
  plan.batch = batch;
  plan.numSegments = 1;
  plan.segments[0] = SegmentPlan();
  plan.segments[0].entry = &entry;
  return measure(plan.segments[0], batch) && plan.fits(limits);
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

bool Planner::trySteps(SegmentPlan &plan, const Steps *steps, uint32_t first,
                       uint32_t second) {
  plan.axes[0].setStep(steps[0].steps[first]);
  if (plan.numAxes > 1)
    plan.axes[1].setStep(steps[1].steps[second]);
  return measure(plan, 1) && plan.getBlock() <= left;
}

/// Of one example: for each step along the first axis the largest that fits
/// along the second, and of these the one with the fewest pixels. If nothing
/// fits, the plan is the one of the smallest parts.
bool Planner::cutSegment(SegmentPlan &plan) {
  plan.numAxes = 0;
  if (measure(plan, 1) && plan.getBlock() <= left)
    return true;
  findAxes(plan);
  if (plan.numAxes == 0)
    return false;
  const Steps steps[] = {Steps(plan.axes[0]),
                         Steps(plan.axes[plan.numAxes - 1])};
  uint32_t columns = plan.numAxes > 1 ? steps[1].count : 1;
  double fewest = INFINITY;
  SegmentPlan best;
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
  if (best.entry) {
    plan = best;
    return true;
  }
  trySteps(plan, steps, steps[0].count - 1, columns - 1);
  return false;
}

/// One example at a time: the cheapest way from the first point to the last,
/// each segment with as much memory as the tensors at its ends leave.
bool Planner::cutImages(RunPlan &plan) {
  const vae_abi_tiling &tiling = *entry.tiling;
  uint32_t points = std::max(2u, tiling.num_points);
  SegmentPlan ways[kMaxPoints]; // the last segment of the way to a point
  uint32_t from[kMaxPoints] = {};
  double costs[kMaxPoints];
  int64_t leasts[kMaxPoints]; // the block that the least way takes
  std::fill(costs, costs + kMaxPoints, INFINITY);
  std::fill(leasts, leasts + kMaxPoints, INT64_MAX);
  costs[0] = 0;
  leasts[0] = 0;
  const vae_abi_entry *next = tiling.segments;
  for (uint32_t begin = 0; begin + 1 < points; ++begin)
    for (uint32_t end = begin + 1; end < points; ++end) {
      SegmentPlan way;
      bool whole = begin == 0 && end + 1 == points;
      const vae_abi_entry *segment = tiling.num_points ? next++ : &entry;
      way.entry = whole ? &entry : segment;
      if (begin > 0)
        way.taken = getBytes(way.entry->inputs[0]);
      if (end + 1 < points)
        way.given = getBytes(way.entry->outputs[0]);
      bool fits = cutSegment(way);
      if (way.getBlock() >= 0)
        leasts[end] =
            std::min(leasts[end], std::max(leasts[begin], way.getBlock()));
      if (!fits || costs[begin] == INFINITY)
        continue;
      double cost = costs[begin] + getFlops(table, way, example);
      if (cost >= costs[end])
        continue;
      costs[end] = cost;
      ways[end] = way;
      from[end] = begin;
    }
  least = leasts[points - 1];
  if (costs[points - 1] == INFINITY)
    return false;
  plan.batch = 1;
  plan.numSegments = 0;
  for (uint32_t point = points - 1; point > 0; point = from[point])
    plan.segments[plan.numSegments++] = ways[point];
  std::reverse(plan.segments, plan.segments + plan.numSegments);
  return true;
}

vae_status_t Planner::refuse(const RunPlan &whole) {
  if (broken) {
    message.add("entry '%s' claims an arena of negative size: report a defect "
                "of the compiler",
                entry.name);
    return VAE_INTERNAL;
  }
  int64_t block = least >= 0 ? sumOf({least, whole.scratch}) : whole.getBlock();
  message.add(
      "entry '%s': at most %lld bytes may be taken, expected at least "
      "%lld bytes (outputs %lld, noise %lld, all between %lld)",
      entry.name, static_cast<long long>(limits.total),
      static_cast<long long>(sumOf({block, whole.noise, whole.outputs})),
      static_cast<long long>(whole.outputs),
      static_cast<long long>(whole.noise), static_cast<long long>(block));
  const vae_abi_tiling *tiling = entry.tiling;
  if (least >= 0)
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
  planScratch(entry, limits.threads, plan);
  plan.noise = getNoiseBytes(table, entry, symbols);
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    plan.outputs =
        sumOf({plan.outputs, getNumBytes(table, entry.outputs[i], symbols)});
  int64_t fixed = sumOf({plan.noise, plan.outputs});
  if (fixed < 0) {
    message.add("entry '%s': the sizes are beyond 63 bits", entry.name);
    return VAE_INVALID_ARGUMENT;
  }
  if (tryBatch(plan, symbols[0]))
    return VAE_OK;
  RunPlan whole = plan;
  if (broken || !entry.tiling || !entry.tiling->halos)
    return refuse(whole);
  left = std::min(limits.block, limits.total - fixed) - plan.scratch;
  if (cutBatch(plan) || cutImages(plan))
    return VAE_OK;
  return refuse(whole);
}

vae_status_t vae::runtime::planRun(const vae_abi_model &table,
                                   const vae_abi_entry &entry,
                                   const int64_t *symbols, const Limits &limits,
                                   RunPlan &plan, Text &message) {
  return Planner(table, entry, symbols, limits, message).run(plan);
}

//===----------------------------------------------------------------------===//
// The C API
//===----------------------------------------------------------------------===//

/// What a plan says of a run.
static void describe(const vae_abi_model &table, const RunPlan &plan,
                     const int64_t *symbols, vae_run_plan_t &out,
                     int64_t *outPart) {
  int64_t batches = ceilDiv(symbols[0], plan.batch);
  int64_t example[kMaxSymbols];
  std::copy(symbols, symbols + table.num_symbols, example);
  example[0] =
      plan.numSegments > 1 || plan.segments[0].numAxes ? 1 : symbols[0];
  double flops = 0;
  out.parts = 0;
  const SegmentPlan *largest = plan.segments;
  for (uint32_t s = 0; s < plan.numSegments; ++s) {
    const SegmentPlan &segment = plan.segments[s];
    out.parts += batches * segment.getNumParts();
    flops += getFlops(table, segment, example);
    if (segment.getBlock() > largest->getBlock())
      largest = &segment;
  }
  out.segments = plan.numSegments;
  out.largest = largest->entry;
  out.arena_bytes = largest->arena;
  out.copy_bytes = largest->getBlock() - out.arena_bytes;
  out.scratch_bytes = plan.scratch;
  out.noise_bytes = plan.noise;
  out.output_bytes = plan.outputs;
  out.flops =
      flops * static_cast<double>(symbols[0]) / static_cast<double>(example[0]);
  if (!outPart)
    return;
  std::copy(symbols, symbols + table.num_symbols, outPart);
  outPart[0] = plan.batch;
  for (uint32_t a = 0; a < largest->numAxes; ++a)
    outPart[largest->axes[a].symbol] = largest->axes[a].getLargest();
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
  limits.threads = getNumThreads(out_plan->threads);
  vae_status_t status = getEntry(table, entry, found, text);
  if (!status)
    status = checkSymbols(table, symbols, text);
  if (!status)
    status = checkSizes(table, *found, symbols, text);
  if (!status)
    status = planRun(table, *found, symbols, limits, plan, text);
  if (status)
    return status;
  describe(table, plan, symbols, *out_plan, out_part);
  return VAE_OK;
}
