// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running a plan: segment after segment and part after part; copies in, the
// library's code, copies out.
#include "runtime/src/Run.h"

#include <algorithm>

using namespace vae::runtime;

namespace {

/// One batch of the examples, or one segment of it.
class PartRun {
public:
  explicit PartRun(vae_session_t &session)
      : session(session), table(session.table),
        block(static_cast<char *>(session.block.getData()) +
              session.plan.scratch),
        blockSize(session.plan.getBlock() - session.plan.scratch) {
    std::copy(session.symbols, session.symbols + table.num_symbols, whole);
  }

  int32_t run();

private:
  int32_t runExamples(int64_t first, int64_t count);
  int32_t runSegment(const SegmentPlan &plan, char *middle);
  int32_t runPart(const SegmentPlan &plan, const int64_t *indices, char *arena);
  void takeInput(const SegmentPlan &plan, uint32_t input);
  void giveOutput(const SegmentPlan &plan, uint32_t output);
  /// Whether an axis is cut, and as which.
  static bool findAxis(const SegmentPlan &plan, const vae_abi_dim &dim,
                       uint32_t &index);
  /// The first element of an axis that belongs to a value of its symbol.
  int64_t getElement(const vae_abi_dim &dim, int64_t value) const {
    return dim.scale * (value / table.symbols[dim.symbol].multiple);
  }
  /// Bytes of the examples before the first one.
  int64_t getOffset(const vae_abi_tensor &tensor, int64_t first) const {
    return getNumBytes(table, tensor, session.symbols) / session.symbols[0] *
           first;
  }
  /// Memory of a part's tensors, in their order.
  char *takeBuffer(const vae_abi_tensor &tensor) {
    char *buffer = next;
    next += alignBytes(getNumBytes(table, tensor, part));
    return buffer;
  }

  vae_session_t &session;
  const vae_abi_model &table;
  char *const block;
  const int64_t blockSize;
  /// The symbols of the examples that run, and of a part of them.
  int64_t whole[kMaxSymbols], part[kMaxSymbols];
  // The current part: what is taken from it, and all of it.
  Range taken[kMaxCutAxes], ranges[kMaxCutAxes];
  bool last[kMaxCutAxes] = {};
  char *next = nullptr;
};

} // namespace

bool PartRun::findAxis(const SegmentPlan &plan, const vae_abi_dim &dim,
                       uint32_t &index) {
  for (index = 0; index < plan.numAxes; ++index)
    if (dim.symbol == static_cast<int32_t>(plan.axes[index].symbol))
      return true;
  return false;
}

void PartRun::takeInput(const SegmentPlan &plan, uint32_t input) {
  const vae_abi_tensor &tensor = plan.entry->inputs[input];
  auto *data = static_cast<const char *>(session.segmentInputs[input]);
  if (!isCut(tensor, plan)) {
    session.partInputs[input] = data;
    return;
  }
  ConstBox from = {data, {}, {}};
  Box to = {takeBuffer(tensor), {}, {}};
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    uint32_t axis;
    from.dims[d] = getDim(table, dim, whole);
    to.dims[d] = getDim(table, dim, part);
    if (findAxis(plan, dim, axis))
      from.begin[d] = getElement(dim, ranges[axis].begin);
  }
  copyBox(from, to, to.dims, tensor.rank, getDtypeSize(tensor.dtype));
  session.partInputs[input] = to.data;
}

void PartRun::giveOutput(const SegmentPlan &plan, uint32_t output) {
  const vae_abi_tensor &tensor = plan.entry->outputs[output];
  if (!isCut(tensor, plan))
    return;
  ConstBox from = {
      static_cast<const char *>(session.partOutputs[output]), {}, {}};
  Box to = {static_cast<char *>(session.segmentOutputs[output]), {}, {}};
  int64_t sizes[kMaxRank];
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    uint32_t axis;
    to.dims[d] = getDim(table, dim, whole);
    sizes[d] = from.dims[d] = getDim(table, dim, part);
    if (!findAxis(plan, dim, axis))
      continue;
    int64_t end = to.dims[d];
    if (!last[axis])
      end = std::min(end, getElement(dim, taken[axis].end));
    to.begin[d] = getElement(dim, taken[axis].begin);
    from.begin[d] = to.begin[d] - getElement(dim, ranges[axis].begin);
    sizes[d] = end - to.begin[d];
  }
  copyBox(from, to, sizes, tensor.rank, getDtypeSize(tensor.dtype));
}

int32_t PartRun::runPart(const SegmentPlan &plan, const int64_t *indices,
                         char *arena) {
  const vae_abi_entry &entry = *plan.entry;
  std::copy(whole, whole + table.num_symbols, part);
  for (uint32_t a = 0; a < plan.numAxes; ++a) {
    const CutAxis &axis = plan.axes[a];
    taken[a] = axis.getRange(indices[a]);
    ranges[a] = axis.getPart(indices[a]);
    last[a] = indices[a] + 1 == axis.count;
    part[axis.symbol] = ranges[a].size();
  }
  next = arena + alignBytes(plan.arena);
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    takeInput(plan, i);
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    session.partOutputs[i] = isCut(entry.outputs[i], plan)
                                 ? takeBuffer(entry.outputs[i])
                                 : session.segmentOutputs[i];
  if (int32_t result = callEntry(session, entry, session.partInputs,
                                 session.partOutputs, part, arena))
    return result;
  for (uint32_t i = 0; i < entry.num_outputs && !session.cancelled; ++i)
    giveOutput(plan, i);
  return 0;
}

int32_t PartRun::runSegment(const SegmentPlan &plan, char *middle) {
  int64_t counts[kMaxCutAxes] = {1, 1};
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    counts[a] = plan.axes[a].count;
  int64_t indices[kMaxCutAxes];
  for (indices[0] = 0; indices[0] < counts[0]; ++indices[0])
    for (indices[1] = 0; indices[1] < counts[1]; ++indices[1]) {
      if (session.cancelled)
        return 0;
      if (int32_t result = runPart(plan, indices, middle))
        return result;
    }
  return 0;
}

/// The tensor between two segments lies at an end of the block, the next one at
/// the other end, so that both and the arena between them fill it.
int32_t PartRun::runExamples(int64_t first, int64_t count) {
  whole[0] = count;
  const RunPlan &plan = session.plan;
  const vae_abi_entry &entry = *session.planned;
  char *between = nullptr;
  for (uint32_t s = 0; s < plan.numSegments; ++s) {
    const SegmentPlan &segment = plan.segments[s];
    bool atEnd = s % 2 != 0; // where its output goes
    if (s == 0)
      for (uint32_t i = 0; i < entry.num_inputs; ++i)
        session.segmentInputs[i] =
            static_cast<const char *>(session.inputs[i]) +
            getOffset(entry.inputs[i], first);
    else
      session.segmentInputs[0] = between;
    if (s + 1 == plan.numSegments)
      for (uint32_t i = 0; i < entry.num_outputs; ++i)
        session.segmentOutputs[i] = static_cast<char *>(session.outputs[i]) +
                                    getOffset(entry.outputs[i], first);
    else {
      between = atEnd ? block + blockSize - segment.given : block;
      session.segmentOutputs[0] = between;
    }
    char *middle = block + (atEnd ? segment.taken : segment.given);
    if (int32_t result = runSegment(segment, middle))
      return result;
  }
  return 0;
}

int32_t PartRun::run() {
  int64_t examples = session.symbols[0], batch = session.plan.batch;
  for (int64_t first = 0; first < examples; first += batch)
    if (int32_t result = runExamples(first, std::min(batch, examples - first)))
      return result;
  return 0;
}

int32_t vae::runtime::runParts(vae_session_t &session) {
  return PartRun(session).run();
}
