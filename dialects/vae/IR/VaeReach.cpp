// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far operations look beside a pixel: which elements of a result are those
// of the whole image's when the operands are of a part of it.
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeAlgorithm.h"

#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace vae;

/// A layer has numbers up to 2^20; a chain of layers must stay within 64 bits.
static constexpr int64_t kMost = int64_t(1) << 40;

static bool isSmall(const AxisReach &axis) {
  return axis.up <= kMost && axis.down <= kMost && axis.before <= kMost &&
         std::abs(axis.after) <= kMost && std::abs(axis.missing) <= kMost;
}

static void scaleRate(AxisReach &axis, int64_t up, int64_t down) {
  axis.up *= up;
  axis.down *= down;
  int64_t common = std::gcd(axis.up, axis.down);
  axis.up /= common;
  axis.down /= common;
}

//===----------------------------------------------------------------------===//
// Along one axis
//===----------------------------------------------------------------------===//

/// y[i] takes from x[i * stride - padBefore] to x[i * stride - padBefore +
/// span]; as many i as fit into the padded x.
static AxisReach slideWindow(AxisReach axis, int64_t span, int64_t stride,
                             int64_t padBefore, int64_t padAfter) {
  if (!axis.symbol)
    return axis;
  scaleRate(axis, 1, stride);
  axis.before = llvm::divideCeilSigned(axis.before + padBefore, stride);
  axis.after = llvm::divideFloorSigned(axis.after + span - padBefore, stride);
  axis.missing = -llvm::divideFloorSigned(
                     padBefore + padAfter - span - 1 - axis.missing, stride) -
                 1;
  axis.after = std::max(axis.after, axis.missing);
  return axis;
}

/// The adjoint: y[i * stride + t - padBefore] takes from x[i] for t from 0 to
/// span; `extra` more elements at the end.
static AxisReach spreadWindow(AxisReach axis, int64_t span, int64_t stride,
                              int64_t padBefore, int64_t padAfter,
                              int64_t extra) {
  if (!axis.symbol)
    return axis;
  scaleRate(axis, stride, 1);
  axis.before =
      std::max<int64_t>(0, (axis.before - 1) * stride + span - padBefore + 1);
  axis.after = axis.after * stride + padBefore;
  axis.missing =
      (axis.missing + 1) * stride - span - 1 - extra + padBefore + padAfter;
  axis.after = std::max(axis.after, axis.missing);
  return axis;
}

/// y is computed in tiles of that many elements, all of which take from all
/// that any of them does.
static AxisReach inTiles(AxisReach axis, int64_t tile) {
  if (!axis.symbol || tile <= 1)
    return axis;
  axis.before = llvm::alignTo(axis.before, tile);
  axis.after = axis.after > 0
                   ? static_cast<int64_t>(llvm::alignTo(axis.after, tile))
                   : axis.after;
  axis.grid = tile;
  return axis;
}

/// y[i] takes from x[i / scale].
static AxisReach repeat(AxisReach axis, int64_t scale) {
  if (!axis.symbol)
    return axis;
  scaleRate(axis, scale, 1);
  axis.before *= scale;
  axis.after *= scale;
  axis.missing *= scale;
  return axis;
}

/// y[i] takes from two neighbours around (i + 0.5) / scale - 0.5.
static AxisReach interpolate(AxisReach axis, int64_t scale) {
  if (!axis.symbol)
    return axis;
  axis = repeat(axis, scale);
  axis.before += scale / 2;
  axis.after += scale - scale / 2;
  return axis;
}

/// y[i] takes from x[i + begin]; x has `begin` and `end` elements more.
/// Negative numbers are a border beside x.
static AxisReach cut(AxisReach axis, int64_t begin, int64_t end) {
  if (!axis.symbol)
    return axis;
  axis.before = std::max<int64_t>(0, axis.before - begin);
  axis.after += begin;
  axis.missing += begin + end;
  axis.after = std::max(axis.after, axis.missing);
  return axis;
}

//===----------------------------------------------------------------------===//
// Several tensors
//===----------------------------------------------------------------------===//

static bool isWhole(const Reach &x, int64_t axis) { return !x[axis].symbol; }

/// What depends on the same element of both.
static LogicalResult meet(Reach &x, const Reach &y) {
  if (x.size() != y.size())
    return failure();
  for (auto [a, b] : llvm::zip(x, y)) {
    if (a.symbol != b.symbol || a.up != b.up || a.down != b.down ||
        a.missing != b.missing)
      return failure();
    a.before = std::max(a.before, b.before);
    a.after = std::max(a.after, b.after);
  }
  return success();
}

/// The result `y` of an operation that adds a residual, which is null or the
/// last operand.
static LogicalResult finish(Reach y, Value residual, ArrayRef<Reach> in,
                            SmallVectorImpl<Reach> &out) {
  if (residual && failed(meet(y, in.back())))
    return failure();
  if (!llvm::all_of(y, isSmall))
    return failure();
  out.push_back(std::move(y));
  return success();
}

/// Element by element of the first `count` operands.
static LogicalResult reachSame(ArrayRef<Reach> in, unsigned count,
                               SmallVectorImpl<Reach> &out) {
  Reach y = in[0];
  for (const Reach &other : in.take_front(count).drop_front())
    if (failed(meet(y, other)))
      return failure();
  return finish(std::move(y), {}, in, out);
}

/// Mixes elements along one axis of the only operand that varies.
static LogicalResult reachAlong(ArrayRef<Reach> in, int64_t axis,
                                SmallVectorImpl<Reach> &out) {
  if (!isWhole(in[0], axis))
    return failure();
  return finish(in[0], {}, in, out);
}

/// Changes the axes of images.
static LogicalResult
reachImage(ArrayRef<Reach> in, SmallVectorImpl<Reach> &out,
           llvm::function_ref<AxisReach(AxisReach x, int axis)> change,
           Value residual = {}) {
  Reach y = in[0];
  for (int axis : {0, 1})
    y[2 + axis] = change(y[2 + axis], axis);
  if (!isWhole(y, 1))
    return failure();
  return finish(std::move(y), residual, in, out);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

#define VAE_REACH(OP)                                                          \
  LogicalResult OP::inferReach(ArrayRef<Reach> in, SmallVectorImpl<Reach> &out)

/// Kernel elements of a convolution along one axis, less one, and dilated.
template <typename ConvOp> static int64_t getSpan(ConvOp op, int axis) {
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  return op.getDilations()[axis] * (weight.getDimSize(2 + axis) - 1);
}

VAE_REACH(DenseOp) {
  int64_t last = static_cast<int64_t>(in[0].size()) - 1;
  if (!isWhole(in[0], last))
    return failure();
  return finish(in[0], getResidual(), in, out);
}
VAE_REACH(Conv2dOp) {
  return reachImage(
      in, out,
      [&](AxisReach x, int axis) {
        return inTiles(slideWindow(x, getSpan(*this, axis), getStrides()[axis],
                                   getPadding()[axis], getPadding()[axis + 2]),
                       getAlgorithm(*this).winograd);
      },
      getResidual());
}
VAE_REACH(Conv3dOp) {
  Reach y = in[0];
  if (!isWhole(y, 1))
    return failure();
  for (int axis : {0, 1, 2})
    y[2 + axis] =
        slideWindow(y[2 + axis], getSpan(*this, axis), getStrides()[axis],
                    getPadding()[axis], getPadding()[axis + 3]);
  return finish(std::move(y), getResidual(), in, out);
}
VAE_REACH(ConvTranspose2dOp) {
  return reachImage(
      in, out,
      [&](AxisReach x, int axis) {
        int64_t stride = getStrides()[axis], before = getPadding()[axis];
        AxisReach y =
            spreadWindow(x, getSpan(*this, axis), stride, before,
                         getPadding()[axis + 2], getOutputPadding()[axis]);
        int64_t tile = getAlgorithm(*this).winograd;
        if (!y.symbol || tile <= 1)
          return y;
        // Phases are computed in tiles of positions, which are counted as the
        // elements of x are, but need not begin with the first. Position q
        // gives y[q * stride - before] and what follows until the next one's.
        y.before += before + tile * stride;
        y.after = std::max<int64_t>(y.after, 0) + before + tile * stride;
        y.grid = tile * stride;
        return y;
      },
      getResidual());
}

VAE_REACH(BatchNormOp) { return reachAlong(in, 1, out); }
VAE_REACH(ChannelAffineOp) { return reachAlong(in, 1, out); }
VAE_REACH(PreluOp) { return reachAlong(in, 1, out); }
VAE_REACH(GluOp) { return reachAlong(in, 1, out); }
VAE_REACH(RepeatChannelsOp) { return reachAlong(in, 1, out); }
VAE_REACH(MeanChannelsOp) { return reachAlong(in, 1, out); }
VAE_REACH(SoftmaxOp) { return reachAlong(in, getAxis(), out); }
VAE_REACH(SplitOp) {
  if (failed(reachAlong(in, getAxis(), out)))
    return failure();
  out.resize(getNumResults(), in[0]);
  return success();
}
VAE_REACH(SliceOp) { return reachAlong(in, getAxis(), out); }
VAE_REACH(RmsNormOp) {
  if (!isWhole(in[0], 1))
    return failure();
  return finish(in[0], getResidual(), in, out);
}
VAE_REACH(LayerNormOp) {
  int64_t rank = in[0].size();
  for (int64_t axis = rank - getAxes(); axis < rank; ++axis)
    if (!isWhole(in[0], axis))
      return failure();
  return finish(in[0], {}, in, out);
}

VAE_REACH(ActivationOp) { return reachSame(in, 1, out); }
VAE_REACH(DropoutOp) { return reachSame(in, 1, out); }
VAE_REACH(ConvertLayoutOp) { return reachSame(in, 1, out); }
VAE_REACH(AddOp) { return reachSame(in, 2, out); }
VAE_REACH(SubOp) { return reachSame(in, 2, out); }
VAE_REACH(MulOp) { return reachSame(in, 2, out); }
VAE_REACH(ReparameterizeOp) { return reachSame(in, 3, out); }

VAE_REACH(NearestCodebookOp) {
  if (!isWhole(in[0], 1))
    return failure();
  Reach y = in[0];
  y.erase(y.begin() + 1);
  return finish(std::move(y), {}, in, out);
}
VAE_REACH(EmbeddingOp) {
  Reach y = in[0];
  y.insert(y.begin() + 1, AxisReach());
  return finish(std::move(y), {}, in, out);
}

VAE_REACH(UpsampleOp) {
  bool nearest = getMode() == ResizeMode::Nearest;
  // Where an element comes from depends on the size of the whole.
  if (!nearest && getAlignCorners())
    return failure();
  return reachImage(in, out, [&](AxisReach x, int axis) {
    return nearest ? repeat(x, getScale()[axis])
                   : interpolate(x, getScale()[axis]);
  });
}
VAE_REACH(PixelShuffleOp) {
  return reachImage(in, out,
                    [&](AxisReach x, int) { return repeat(x, getFactor()); });
}
VAE_REACH(PixelUnshuffleOp) {
  int64_t factor = getFactor();
  return reachImage(in, out, [&](AxisReach x, int) {
    return slideWindow(x, factor - 1, factor, 0, 0);
  });
}
VAE_REACH(Pool2dOp) {
  return reachImage(in, out, [&](AxisReach x, int axis) {
    return slideWindow(x, getKernel()[axis] - 1, getStrides()[axis],
                       getPadding()[axis], getPadding()[axis + 2]);
  });
}

VAE_REACH(ConcatOp) {
  for (const Reach &x : in)
    if (!isWhole(x, getAxis()))
      return failure();
  return reachSame(in, in.size(), out);
}
VAE_REACH(CropOp) {
  return reachImage(in, out, [&](AxisReach x, int axis) {
    return cut(x, getBorder()[axis], getBorder()[axis + 2]);
  });
}
VAE_REACH(PadOp) {
  return reachImage(in, out, [&](AxisReach x, int axis) {
    return cut(x, -getPadding()[axis], -getPadding()[axis + 2]);
  });
}
VAE_REACH(TransposeOp) {
  Reach y;
  for (int64_t axis : getPermutation())
    y.push_back(in[0][axis]);
  return finish(std::move(y), {}, in, out);
}
