// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running the parts of a plan: copies in, the library's code, copies out.
#include "runtime/src/Run.h"

#include <algorithm>

using namespace vae::runtime;

namespace {

class PartRun {
public:
  PartRun(vae_session_t &session, const vae_abi_entry &entry)
      : session(session), table(session.table), entry(entry),
        plan(session.plan), examples(session.symbols[0]) {}

  int32_t run();

private:
  int32_t runPart(const int64_t *indices);
  void takeInput(uint32_t input);
  void giveOutput(uint32_t output);
  /// Of an uncut tensor: the bytes before the part's first example.
  int64_t getOffset(const vae_abi_tensor &tensor) const {
    return getNumBytes(table, tensor, session.symbols) / examples *
           firstExample;
  }
  /// Whether an axis is cut, and as which.
  bool findAxis(const vae_abi_dim &dim, uint32_t &index) const;
  /// The first element of an axis that belongs to a value of its symbol.
  int64_t getElement(const vae_abi_dim &dim, int64_t value) const {
    return dim.scale * (value / table.symbols[dim.symbol].multiple);
  }
  /// Memory of a part's tensors, in their order.
  char *takeBuffer(const vae_abi_tensor &tensor) {
    char *buffer = next;
    next += alignBytes(getNumBytes(table, tensor, session.partSymbols));
    return buffer;
  }

  vae_session_t &session;
  const vae_abi_model &table;
  const vae_abi_entry &entry;
  const RunPlan &plan;
  const int64_t examples;
  // The current part.
  int64_t firstExample = 0;
  Range given[kMaxCutAxes], part[kMaxCutAxes];
  bool last[kMaxCutAxes] = {};
  char *next = nullptr;
};

} // namespace

bool PartRun::findAxis(const vae_abi_dim &dim, uint32_t &index) const {
  for (index = 0; index < plan.numAxes; ++index)
    if (dim.symbol == static_cast<int32_t>(plan.axes[index].symbol))
      return true;
  return false;
}

void PartRun::takeInput(uint32_t input) {
  const vae_abi_tensor &tensor = entry.inputs[input];
  auto *data = static_cast<const char *>(session.inputs[input]);
  if (!isCut(tensor, plan)) {
    session.partInputs[input] = data + getOffset(tensor);
    return;
  }
  ConstBox from = {data, {}, {}};
  Box to = {takeBuffer(tensor), {}, {}};
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    uint32_t axis;
    from.dims[d] = getDim(table, dim, session.symbols);
    to.dims[d] = getDim(table, dim, session.partSymbols);
    if (findAxis(dim, axis))
      from.begin[d] = getElement(dim, part[axis].begin);
  }
  from.begin[0] = firstExample;
  copyBox(from, to, to.dims, tensor.rank, getDtypeSize(tensor.dtype));
  session.partInputs[input] = to.data;
}

void PartRun::giveOutput(uint32_t output) {
  const vae_abi_tensor &tensor = entry.outputs[output];
  if (!isCut(tensor, plan))
    return;
  ConstBox from = {
      static_cast<const char *>(session.partOutputs[output]), {}, {}};
  Box to = {static_cast<char *>(session.outputs[output]), {}, {}};
  int64_t sizes[kMaxRank];
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    uint32_t axis;
    to.dims[d] = getDim(table, dim, session.symbols);
    sizes[d] = from.dims[d] = getDim(table, dim, session.partSymbols);
    if (!findAxis(dim, axis))
      continue;
    int64_t end = to.dims[d];
    if (!last[axis])
      end = std::min(end, getElement(dim, given[axis].end));
    to.begin[d] = getElement(dim, given[axis].begin);
    from.begin[d] = to.begin[d] - getElement(dim, part[axis].begin);
    sizes[d] = end - to.begin[d];
  }
  to.begin[0] = firstExample;
  copyBox(from, to, sizes, tensor.rank, getDtypeSize(tensor.dtype));
}

int32_t PartRun::runPart(const int64_t *indices) {
  for (uint32_t a = 0; a < plan.numAxes; ++a) {
    const CutAxis &axis = plan.axes[a];
    given[a] = axis.getRange(indices[a]);
    part[a] = axis.getPart(indices[a]);
    last[a] = indices[a] + 1 == axis.count;
    session.partSymbols[axis.symbol] = part[a].size();
  }
  next = static_cast<char *>(session.tile.getData());
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    takeInput(i);
  for (uint32_t i = 0; i < entry.num_outputs; ++i) {
    const vae_abi_tensor &tensor = entry.outputs[i];
    session.partOutputs[i] =
        isCut(tensor, plan)
            ? takeBuffer(tensor)
            : static_cast<char *>(session.outputs[i]) + getOffset(tensor);
  }
  if (int32_t result = callEntry(session, entry, session.partInputs,
                                 session.partOutputs, session.partSymbols))
    return result;
  for (uint32_t i = 0; i < entry.num_outputs && !session.cancelled; ++i)
    giveOutput(i);
  return 0;
}

int32_t PartRun::run() {
  std::copy(session.symbols, session.symbols + table.num_symbols,
            session.partSymbols);
  int64_t counts[kMaxCutAxes] = {1, 1};
  for (uint32_t a = 0; a < plan.numAxes; ++a)
    counts[a] = plan.axes[a].count;
  for (firstExample = 0; firstExample < examples; firstExample += plan.batch) {
    session.partSymbols[0] = std::min(plan.batch, examples - firstExample);
    int64_t indices[kMaxCutAxes];
    for (indices[0] = 0; indices[0] < counts[0]; ++indices[0])
      for (indices[1] = 0; indices[1] < counts[1]; ++indices[1]) {
        if (session.cancelled)
          return 0;
        if (int32_t result = runPart(indices))
          return result;
      }
  }
  return 0;
}

int32_t vae::runtime::runParts(vae_session_t &session,
                               const vae_abi_entry &entry) {
  return PartRun(session, entry).run();
}
