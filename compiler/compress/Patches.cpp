// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/Patches.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vae;

int64_t Patches::count(ArrayRef<int64_t> sizes) {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  return count;
}

std::optional<Patches> Patches::create(Operation *layer) {
  Patches patches;
  auto setWindow = [&](auto op) {
    if (op.getGroups() != 1)
      return false;
    ArrayRef<int64_t> weight =
        cast<RankedTensorType>(op.getWeight().getType()).getShape();
    patches.kernel.assign(weight.begin() + 2, weight.end());
    patches.strides.assign(op.getStrides().begin(), op.getStrides().end());
    patches.dilations.assign(op.getDilations().begin(),
                             op.getDilations().end());
    patches.padding.assign(op.getPadding().begin(),
                           op.getPadding().begin() + patches.kernel.size());
    return true;
  };
  bool known =
      llvm::TypeSwitch<Operation *, bool>(layer)
          .Case<DenseOp>([&](DenseOp) { return patches.dense = true; })
          .Case<Conv2dOp, Conv3dOp>([&](auto op) { return setWindow(op); })
          .Case<ConvTranspose2dOp>([&](ConvTranspose2dOp op) {
            patches.transposed = true;
            return setWindow(op);
          })
          .Default([](Operation *) { return false; });
  if (!known)
    return std::nullopt;
  auto prunable = cast<PrunableOpInterface>(layer);
  auto weight = cast<RankedTensorType>(
      layer->getOperand(prunable.getWeightIndex()).getType());
  patches.channels = weight.getDimSize(prunable.getInputUnitAxis());
  patches.outputs = weight.getDimSize(prunable.getOutputUnitAxis());
  patches.taps = count(patches.kernel);
  return patches;
}

void Patches::setShapes(ArrayRef<int64_t> input, ArrayRef<int64_t> output) {
  auto getSizes = [&](ArrayRef<int64_t> shape) {
    return dense ? shape.drop_front().drop_back() : shape.drop_front(2);
  };
  inSizes.assign(getSizes(input).begin(), getSizes(input).end());
  outSizes.assign(getSizes(output).begin(), getSizes(output).end());
}

void Patches::readInputs(const float *example, int64_t position,
                         double *row) const {
  if (dense) {
    std::copy_n(example + position * channels, channels, row);
    return;
  }
  int64_t pixels = count(inSizes);
  for (int64_t tap = 0; tap < taps; ++tap) {
    // From the last axis to the first: the pixel that this tap reads.
    int64_t rest = position, restOfTap = tap, pixel = 0, stride = 1;
    bool inside = true;
    for (size_t axis = kernel.size(); axis-- > 0;) {
      int64_t at = rest % outSizes[axis], k = restOfTap % kernel[axis];
      rest /= outSizes[axis];
      restOfTap /= kernel[axis];
      int64_t from;
      if (transposed) {
        from = at + padding[axis] - k * dilations[axis];
        inside &= from % strides[axis] == 0;
        from = from >= 0 ? from / strides[axis] : -1;
      } else {
        from = at * strides[axis] + k * dilations[axis] - padding[axis];
      }
      inside &= from >= 0 && from < inSizes[axis];
      pixel += from * stride;
      stride *= inSizes[axis];
    }
    for (int64_t c = 0; c < channels; ++c)
      row[c * taps + tap] = inside ? example[c * pixels + pixel] : 0;
  }
}

void Patches::readOutputs(const float *example, int64_t position,
                          double *row) const {
  int64_t positions = getPositions();
  for (int64_t u = 0; u < outputs; ++u)
    row[u] = dense ? example[position * outputs + u]
                   : example[u * positions + position];
}

template <typename FunctionTy>
void Patches::forEachWeight(FunctionTy visit) const {
  int64_t first = transposed ? channels : outputs,
          second = transposed ? outputs : channels, index = 0;
  for (int64_t a = 0; a < first; ++a)
    for (int64_t b = 0; b < second; ++b)
      for (int64_t tap = 0; tap < taps; ++tap, ++index)
        visit(index, (transposed ? a : b) * taps + tap, transposed ? b : a);
}

RealMatrix Patches::toMatrix(ArrayRef<float> weight) const {
  RealMatrix matrix(getInputs(), outputs);
  forEachWeight([&](int64_t index, int64_t input, int64_t output) {
    matrix(input, output) = weight[index];
  });
  return matrix;
}

std::vector<float> Patches::toWeight(const RealMatrix &matrix) const {
  std::vector<float> weight(matrix.size());
  forEachWeight([&](int64_t index, int64_t input, int64_t output) {
    weight[index] = static_cast<float>(matrix(input, output));
  });
  return weight;
}
