// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/TaylorImportance.h"

#include "compiler/gradient/Tape.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using llvm::Error;
using llvm::Expected;

/// The result of a role; null if there is none.
static Value findResult(func::FuncOp function, StringRef role) {
  Operation *end = function.front().getTerminator();
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (auto own = function.getResultAttrOfType<StringAttr>(i, kRoleAttr))
      if (own.getValue() == role)
        return end->getOperand(i);
  return nullptr;
}

Expected<TaylorImportance> TaylorImportance::create(ModuleOp module) {
  auto score = module.lookupSymbol<func::FuncOp>("score");
  if (!score || score.isExternal())
    return llvm::createStringError(
        "the model has no entry point 'score', and so no loss");
  Value gain = findResult(score, "elbo");
  if (!gain)
    gain = findResult(score, "log_likelihood");
  if (!gain)
    return llvm::createStringError(
        "'score' gives neither the ELBO nor a log-likelihood");
  return TaylorImportance(module, score, gain);
}

TaylorImportance::TaylorImportance(ModuleOp module, func::FuncOp score,
                                   Value gain)
    : score(score), gain(gain), flow(module) {
  findReaders();
}

/// Where units end. Removed elements are zero in all tensors that carry a unit,
/// so that what changes the loss is what layers read which make others of it.
void TaylorImportance::findReaders() {
  auto carries = [&](Operation *op, Unit root) {
    return llvm::any_of(op->getResults(), [&](Value result) {
      const UnitAxis *units = flow.find(result);
      return units && llvm::any_of(units->units, [&](Unit unit) {
               return flow.getRoot(unit) == root;
             });
    });
  };
  // A layer makes others of what it reads, also where its results belong to the
  // same units, as in x + layer(x).
  auto makesOthers = [](OpOperand &operand) {
    auto layer = dyn_cast<PrunableOpInterface>(operand.getOwner());
    return layer && layer.getUnitGroups() == 1 &&
           &operand == &layer.getDataOperand();
  };
  for (Operation &op : score.front().without_terminator())
    for (OpOperand &operand : op.getOpOperands()) {
      const UnitAxis *units = flow.find(operand.get());
      if (!units)
        continue;
      Reader reader;
      reader.axis = units->axis;
      llvm::DenseMap<Unit, std::optional<size_t>> known;
      for (Unit unit : units->units) {
        Unit root = flow.getRoot(unit);
        auto [place, isNew] = known.try_emplace(root);
        if (isNew && !flow.isFixed(root) &&
            (makesOthers(operand) || !carries(&op, root)))
          place->second = places.try_emplace(root, places.size()).first->second;
        reader.units.push_back(place->second);
      }
      if (llvm::none_of(reader.units, [](auto unit) { return !!unit; }))
        continue;
      readers[&operand] = std::move(reader);
      if (!llvm::is_contained(wanted, operand.get()))
        wanted.push_back(operand.get());
    }
  squares.resize(places.size());
}

Error TaylorImportance::add(ArrayRef<reference::Tensor> inputs) {
  auto tape = gradient::Tape::record(score, inputs);
  if (!tape)
    return tape.takeError();
  const reference::Tensor &gains = tape->get(gain);
  if (!llvm::all_of(gains.data, [](float x) { return std::isfinite(x); }))
    return llvm::createStringError(
        "the loss of an example is no finite number");
  auto count = static_cast<int64_t>(gains.data.size());
  gradient::Gradients seeds;
  seeds[gain] = {gains.shape, std::vector<float>(gains.data.size(), -1.0f)};
  // By examples: the first-order change of each unit.
  std::vector<double> changes(count * squares.size());
  auto see = [&](OpOperand &operand, const reference::Tensor &part) {
    auto reader = readers.find(&operand);
    if (reader == readers.end())
      return;
    const reference::Tensor &value = tape->get(operand.get());
    const auto &[axis, units] = reader->second;
    int64_t inner = 1;
    for (size_t i = axis + 1; i < value.shape.size(); ++i)
      inner *= value.shape[i];
    auto size = static_cast<int64_t>(value.data.size());
    for (int64_t i = 0; i < size; ++i) {
      std::optional<size_t> unit = units[i / inner % int64_t(units.size())];
      // Frames of a clip are one after the other.
      if (unit)
        changes[i * count / size * squares.size() + *unit] +=
            double(value.data[i]) * part.data[i];
    }
  };
  auto gradients = tape->differentiate(seeds, wanted, see);
  if (!gradients)
    return gradients.takeError();
  for (size_t i = 0; i < changes.size(); ++i)
    squares[i % squares.size()] += changes[i] * changes[i];
  examples += count;
  return Error::success();
}

std::vector<std::pair<std::string, std::vector<double>>>
TaylorImportance::getScores() const {
  std::vector<std::pair<std::string, std::vector<double>>> result;
  for (const LayerUnits &layer : flow.getLayers()) {
    std::vector<double> &scores =
        result.emplace_back(layer.name, std::vector<double>()).second;
    for (Unit unit : layer.units) {
      auto place = places.find(flow.getRoot(unit));
      scores.push_back(
          place == places.end() || examples == 0
              ? 0
              : std::sqrt(squares[place->second] / double(examples)));
    }
  }
  return result;
}
