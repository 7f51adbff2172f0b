// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move elements and compute nothing.
#include "compiler/reference/Evaluate.h"
#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

/// y[.., i, ..] = x[.., source(i), ..] on an axis.
static void gatherAxis(const Tensor &x, Tensor &y, int64_t axis,
                       llvm::function_ref<int64_t(int64_t)> source) {
  AxisView from(x.shape, axis), to(y.shape, axis);
  for (int64_t o = 0; o < to.outer; ++o)
    for (int64_t i = 0; i < to.size; ++i)
      for (int64_t k = 0; k < to.inner; ++k)
        y.data[to.at(o, i, k)] = x.data[from.at(o, source(i), k)];
}

Error reference::evaluate(ConcatOp op, const Operands &in, Results out) {
  AxisView to(out[0].shape, op.getAxis());
  int64_t first = 0;
  for (size_t part = 0; part < in.size(); ++part) {
    AxisView from(in[part].shape, op.getAxis());
    for (int64_t o = 0; o < from.outer; ++o)
      for (int64_t i = 0; i < from.size; ++i)
        for (int64_t k = 0; k < from.inner; ++k)
          out[0].data[to.at(o, first + i, k)] = in[part].data[from.at(o, i, k)];
    first += from.size;
  }
  return Error::success();
}

Error reference::evaluate(SplitOp op, const Operands &in, Results out) {
  int64_t sections = op.getSections(), axis = op.getAxis();
  for (int64_t part = 0; part < sections; ++part) {
    int64_t size = out[part].shape[axis];
    gatherAxis(in[0], out[part], axis, [&](int64_t i) {
      return op.getInterleaved() ? part + i * sections : part * size + i;
    });
  }
  return Error::success();
}

Error reference::evaluate(SliceOp op, const Operands &in, Results out) {
  int64_t begin = op.getBegin(), stride = op.getStride();
  gatherAxis(in[0], out[0], op.getAxis(),
             [&](int64_t i) { return begin + i * stride; });
  return Error::success();
}

/// y[n, c, i..] = x[n, c, (i + shift)..] where that lies in x, else value.
static void shiftImage(const Tensor &x, Tensor &y,
                       llvm::ArrayRef<int64_t> shift, float value) {
  int64_t rank = static_cast<int64_t>(y.shape.size());
  for (size_t index = 0; index < y.data.size(); ++index) {
    // Coordinates, last axis first.
    int64_t rest = index, source = 0, stride = 1;
    bool inside = true;
    for (int64_t axis = rank - 1; axis >= 0; --axis) {
      int64_t at = rest % y.shape[axis] + (axis < 2 ? 0 : shift[axis - 2]);
      inside &= at >= 0 && at < x.shape[axis];
      source += at * stride;
      stride *= x.shape[axis];
      rest /= y.shape[axis];
    }
    y.data[index] = inside ? x.data[source] : value;
  }
}

Error reference::evaluate(CropOp op, const Operands &in, Results out) {
  shiftImage(in[0], out[0], op.getBorder().take_front(2), 0);
  return Error::success();
}

Error reference::evaluate(PadOp op, const Operands &in, Results out) {
  llvm::SmallVector<int64_t> shift;
  for (int64_t before : op.getPadding().take_front(in[0].shape.size() - 2))
    shift.push_back(-before);
  float value = op.getValue().convertToFloat();
  if (auto type = getQuantizedType(op.getX()))
    value = static_cast<float>(Quantization(type).quantize(value));
  shiftImage(in[0], out[0], shift, value);
  return Error::success();
}

Error reference::evaluate(TransposeOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  Tensor &y = out[0];
  for (size_t index = 0; index < y.data.size(); ++index) {
    // Coordinates in y, last axis first, are coordinates in x permuted.
    llvm::SmallVector<int64_t> coordinates(x.shape.size());
    int64_t rest = index;
    for (int64_t axis = y.shape.size() - 1; axis >= 0; --axis) {
      coordinates[op.getPermutation()[axis]] = rest % y.shape[axis];
      rest /= y.shape[axis];
    }
    int64_t source = 0;
    for (auto [coordinate, size] : llvm::zip(coordinates, x.shape))
      source = source * size + coordinate;
    y.data[index] = x.data[source];
  }
  return Error::success();
}

Error reference::evaluate(ReshapeOp op, const Operands &in, Results out) {
  if (in[0].data.size() != out[0].data.size())
    return makeError(op, "(C2) the number of elements must stay");
  out[0].data = in[0].data;
  return Error::success();
}

Error reference::evaluate(DropoutOp, const Operands &in, Results out) {
  out[0].data = in[0].data;
  return Error::success();
}

Error reference::evaluate(ConvertLayoutOp op, const Operands &in, Results out) {
  auto from = getQuantizedType(op.getX()), to = getQuantizedType(op.getY());
  out[0].data = in[0].data;
  if (from == to)
    return Error::success();
  Quantization numbers(to ? to : from);
  for (float &value : out[0].data)
    value = to ? static_cast<float>(numbers.quantize(value))
               : numbers.dequantize(static_cast<int32_t>(value));
  return Error::success();
}

Error reference::evaluate(PixelShuffleOp op, const Operands &in, Results out) {
  Tensor &y = out[0];
  int64_t r = op.getFactor();
  for (int64_t n = 0; n < y.shape[0]; ++n)
    for (int64_t c = 0; c < y.shape[1]; ++c)
      for (int64_t i = 0; i < y.shape[2]; ++i)
        for (int64_t j = 0; j < y.shape[3]; ++j)
          y.data[at(y, n, c, i, j)] = in[0].data[at(
              in[0], n, c * r * r + i % r * r + j % r, i / r, j / r)];
  return Error::success();
}

Error reference::evaluate(PixelUnshuffleOp op, const Operands &in,
                          Results out) {
  const Tensor &x = in[0];
  int64_t r = op.getFactor();
  for (int64_t axis : {2, 3})
    if (x.shape[axis] % r)
      return makeError(op, "(C2) factor " + llvm::Twine(r) +
                               " does not divide " +
                               llvm::Twine(x.shape[axis]));
  for (int64_t n = 0; n < x.shape[0]; ++n)
    for (int64_t c = 0; c < x.shape[1]; ++c)
      for (int64_t i = 0; i < x.shape[2]; ++i)
        for (int64_t j = 0; j < x.shape[3]; ++j)
          out[0].data[at(out[0], n, c * r * r + i % r * r + j % r, i / r,
                         j / r)] = x.data[at(x, n, c, i, j)];
  return Error::success();
}

Error reference::evaluate(RepeatChannelsOp op, const Operands &in,
                          Results out) {
  AxisView to(out[0].shape, 1), from(in[0].shape, 1);
  for (int64_t n = 0; n < to.outer; ++n)
    for (int64_t c = 0; c < to.size; ++c)
      for (int64_t k = 0; k < to.inner; ++k)
        out[0].data[to.at(n, c, k)] =
            in[0].data[from.at(n, c / op.getRepeats(), k)];
  return Error::success();
}

Error reference::evaluate(MeanChannelsOp op, const Operands &in, Results out) {
  AxisView to(out[0].shape, 1), from(in[0].shape, 1);
  int64_t group = op.getGroup();
  for (int64_t n = 0; n < to.outer; ++n)
    for (int64_t c = 0; c < to.size; ++c)
      for (int64_t k = 0; k < to.inner; ++k) {
        double sum = 0;
        for (int64_t g = 0; g < group; ++g)
          sum += in[0].data[from.at(n, c * group + g, k)];
        out[0].data[to.at(n, c, k)] = sum / group;
      }
  return Error::success();
}
