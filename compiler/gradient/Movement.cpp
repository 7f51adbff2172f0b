// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move elements and compute nothing. Where an element of a
// result comes from, the interpreter tells: it executes the operation on the
// numbers of the elements.
#include "compiler/gradient/Vjp.h"

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

/// Whole numbers that f32 has: an element's number is given in digits of this
/// base.
static constexpr int64_t kBase = int64_t(1) << 24;

/// Executes the operation on the digits of its operands' numbers, counted
/// through all operands.
static llvm::Expected<std::vector<Tensor>>
moveDigits(Operation *op, const Cotangents &c, int64_t place) {
  std::vector<Tensor> numbers;
  int64_t number = 0;
  for (const Tensor *operand : c.getOperands()) {
    Tensor &digits = numbers.emplace_back();
    digits.shape = operand->shape;
    digits.data.resize(operand->data.size());
    for (float &digit : digits.data)
      digit = static_cast<float>(number++ / place % kBase);
  }
  SmallVector<const Tensor *> operands;
  for (const Tensor &tensor : numbers)
    operands.push_back(&tensor);
  return interpretOperation(op, operands);
}

Error gradient::passToSources(Operation *op, const Cotangents &c) {
  auto low = moveDigits(op, c, 1), high = moveDigits(op, c, kBase);
  if (!low)
    return llvm::joinErrors(low.takeError(),
                            high ? Error::success() : high.takeError());
  if (!high)
    return high.takeError();
  // Where operands begin, and their sums.
  SmallVector<std::vector<double>> sums;
  for (const Tensor *operand : c.getOperands())
    sums.emplace_back(operand->data.size());
  for (size_t result = 0; result < c.getNumResults(); ++result)
    for (auto [gradient, lowDigit, highDigit] :
         llvm::zip(c.getGradient(result).data, (*low)[result].data,
                   (*high)[result].data)) {
      int64_t number = static_cast<int64_t>(lowDigit) +
                       static_cast<int64_t>(highDigit) * kBase;
      size_t operand = 0;
      while (number >= static_cast<int64_t>(sums[operand].size()))
        number -= static_cast<int64_t>(sums[operand++].size());
      sums[operand][number] += gradient;
    }
  for (size_t operand = 0; operand < sums.size(); ++operand)
    storeAll(c.find(operand), sums[operand]);
  return Error::success();
}

Error gradient::vjp(PadOp op, const Cotangents &c) {
  const Tensor &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  for (size_t index = 0; index < dx->data.size(); ++index) {
    // Coordinates, last axis first.
    int64_t rest = index, target = 0, stride = 1;
    for (int64_t axis = dx->shape.size() - 1; axis >= 0; --axis) {
      int64_t before = axis < 2 ? 0 : op.getPadding()[axis - 2];
      target += (rest % dx->shape[axis] + before) * stride;
      stride *= dy.shape[axis];
      rest /= dx->shape[axis];
    }
    dx->data[index] = dy.data[target];
  }
  return Error::success();
}
