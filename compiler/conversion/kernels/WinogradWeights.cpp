// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are transformed at compile time, as getWinogradWeightKernel
// transforms them at run time.
#include "compiler/conversion/kernels/Winograd.h"

using namespace mlir;
using namespace vae;

static_assert(FloatLanes::kCount == kChannelBlock, "lanes are a block");

namespace {
/// The transform of one input's weights to a block of outputs.
class WeightTransform {
public:
  explicit WeightTransform(const Winograd &shape)
      : shape(shape), columns(getWinogradMatrices(shape.axes[0]).weight),
        rows(getWinogradMatrices(shape.axes[1]).weight) {}

  /// Taps are `tapStride` apart, positions of the result `stride`.
  void run(const float *from, int64_t tapStride, float *to,
           int64_t stride) const {
    int64_t kh = shape.axes[0].taps, kw = shape.axes[1].taps;
    SmallVector<SmallVector<FloatLanes>> half;
    for (int64_t j = 0; j < kw; ++j) {
      SmallVector<FloatLanes> column(kh);
      for (int64_t i = 0; i < kh; ++i) {
        column[i].given = true;
        std::copy_n(from + (i * kw + j) * tapStride, kChannelBlock,
                    column[i].lanes.begin());
      }
      half.push_back(columns.apply(column));
    }
    for (int64_t i = 0; i < shape.axes[0].size(); ++i) {
      SmallVector<FloatLanes> row;
      for (int64_t j = 0; j < kw; ++j)
        row.push_back(half[j][i]);
      for (const auto &[j, value] : llvm::enumerate(rows.apply(row)))
        llvm::copy(value.lanes,
                   to + (i * shape.axes[1].size() + int64_t(j)) * stride);
    }
  }

private:
  const Winograd &shape;
  LinearMap columns, rows;
};
} // namespace

std::vector<float> vae::transformWinogradWeights(const KernelTarget &target,
                                                 const Winograd &shape,
                                                 ArrayRef<float> packed) {
  WinogradPanels panels = WinogradPanels::of(target, shape.outputs);
  int64_t perPanel = panels.width / kChannelBlock;
  int64_t panelStride =
      shape.positions() * getWinogradWeightStride(shape, panels.width);
  int64_t tapStride = shape.inputs * kChannelBlock;
  int64_t taps = shape.axes[0].taps * shape.axes[1].taps;
  WeightTransform transform(shape);
  // Zeros where there are no weights.
  std::vector<float> result(getWinogradWeightSize(target, shape));
  int64_t blocks = llvm::divideCeil(shape.outputs, kChannelBlock);
  for (int64_t block = 0; block < blocks; ++block) {
    int64_t panel = block / perPanel;
    int64_t width = panel < panels.wide ? panels.width : kChannelBlock;
    int64_t stride = getWinogradWeightStride(shape, width);
    int64_t start = panel * panelStride + block % perPanel * kChannelBlock;
    for (int64_t input = 0; input < shape.inputs; ++input)
      transform.run(packed.data() + block * taps * tapStride +
                        input * kChannelBlock,
                    tapStride, result.data() + start + input * width, stride);
  }
  return result;
}
