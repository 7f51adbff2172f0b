// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/WeightForm.h"

#include "compiler/conversion/kernels/Kernels.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace vae;

std::string WeightForm::name() const {
  if (sparsity != Sparsity::None)
    return sparsity == Sparsity::Rows ? "_rows" : "_bitmap";
  if (bits == 0)
    return "";
  if (bits == 8)
    return "_w8";
  return llvm::formatv("_w4g{0}{1}", group, shortScales ? "" : "f");
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

WeightLayout::WeightLayout(const Contraction &shape)
    : WeightLayout(shape.weights, shape.taps(), shape.inputs) {}

int64_t WeightLayout::headBytes() const { return scaleBytes() * kChannelBlock; }

int64_t WeightLayout::groupBytes(int64_t count) const {
  return headBytes() + llvm::divideCeil(count, 2) * kChannelBlock;
}

int64_t WeightLayout::tapBytes() const {
  if (form.bits == 8)
    return inputs * kChannelBlock;
  int64_t rest = inputs % form.group;
  return inputs / form.group * groupBytes(form.group) +
         (rest ? groupBytes(rest) : 0);
}

int64_t WeightLayout::blockBytes() const {
  return (form.bits == 8 ? headBytes() : 0) + taps * tapBytes();
}

bool vae::hasWeightOnlyForm(const Contraction &shape) {
  return !shape.depthwise() && !shape.dotProducts() && shape.inputs > 0;
}

namespace {
/// Writes the integers of a block of outputs.
class BlockWriter {
public:
  BlockWriter(const Contraction &shape, WeightFn integer, WeightFn scale,
              int64_t g, int64_t block, int8_t *to)
      : shape(shape), layout(shape), integer(integer), scale(scale), g(g),
        first(block * kChannelBlock), to(to) {}

  void write() {
    if (layout.form.bits == 8)
      writeScales(0, 0, 0);
    for (int64_t ky = 0; ky < shape.frames * shape.window[0]; ++ky)
      for (int64_t kx = 0; kx < shape.window[1]; ++kx) {
        if (layout.form.bits == 8)
          writeBytes(ky, kx);
        else
          writeNibbles(ky, kx);
      }
  }

private:
  int64_t lanes() const {
    return std::min(kChannelBlock, shape.outputs - first);
  }

  void writeScales(int64_t i, int64_t ky, int64_t kx) {
    for (int64_t lane = 0; lane < lanes(); ++lane) {
      float value = scale(g, first + lane, i, ky, kx);
      auto bits = llvm::bit_cast<uint32_t>(value);
      uint16_t upper = roundToBf16(value);
      std::memcpy(to + lane * layout.scaleBytes(),
                  layout.form.shortScales ? static_cast<void *>(&upper) : &bits,
                  layout.scaleBytes());
    }
    to += layout.headBytes();
  }

  int8_t get(int64_t lane, int64_t i, int64_t ky, int64_t kx) {
    return static_cast<int8_t>(integer(g, first + lane, i, ky, kx));
  }

  void writeBytes(int64_t ky, int64_t kx) {
    for (int64_t i = 0; i < shape.inputs; ++i, to += kChannelBlock)
      for (int64_t lane = 0; lane < lanes(); ++lane)
        to[lane] = get(lane, i, ky, kx);
  }

  void writeNibbles(int64_t ky, int64_t kx) {
    constexpr uint8_t kLower = 0x0f;
    for (int64_t i = 0; i < shape.inputs;) {
      writeScales(i, ky, kx);
      int64_t end = std::min(i + layout.form.group, shape.inputs);
      for (; i < end; i += 2, to += kChannelBlock)
        for (int64_t lane = 0; lane < lanes(); ++lane) {
          auto low = static_cast<uint8_t>(get(lane, i, ky, kx));
          uint8_t high = i + 1 < end ? get(lane, i + 1, ky, kx) : 0;
          to[lane] = static_cast<int8_t>((low & kLower) | high << 4);
        }
      i = end;
    }
  }

  const Contraction &shape;
  WeightLayout layout;
  WeightFn integer, scale;
  int64_t g, first;
  int8_t *to;
};
} // namespace

std::vector<int8_t> vae::packIntegerWeight(const Contraction &shape,
                                           WeightFn integer, WeightFn scale) {
  int64_t blocks = paddedOutputs(shape) / kChannelBlock;
  int64_t blockBytes = WeightLayout(shape).blockBytes();
  std::vector<int8_t> packed(shape.groups * blocks * blockBytes);
  for (int64_t g = 0; g < shape.groups; ++g)
    for (int64_t block = 0; block < blocks; ++block)
      BlockWriter(shape, integer, scale, g, block,
                  packed.data() + (g * blocks + block) * blockBytes)
          .write();
  return packed;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// Lanes of an integer type.
static VectorType lanesOf(Emitter &e, int64_t bits) {
  return VectorType::get({e.width}, e.b.getIntegerType(bits));
}

static Value loadBytes(Emitter &e, Value buffer, Value at) {
  Value bytes = vector::LoadOp::create(e.b, e.loc, lanesOf(e, 8), buffer, at);
  return arith::ExtSIOp::create(e.b, e.loc, lanesOf(e, 32), bytes);
}

Value vae::loadIntegers(Emitter &e, Value buffer, Value at) {
  return e.fromIntegers(loadBytes(e, buffer, at));
}

Value vae::loadNibbles(Emitter &e, Value buffer, Value at) {
  return loadBytes(e, buffer, at);
}

/// Both halves of a byte, in two instructions each (the first is vpternlogd):
/// the bits of integer n, of the half that is `shift` bits from the lowest, at
/// the end of a number so large that they count n - 8.
static Value getNibblesByBits(Emitter &e, Value pairs, int64_t shift) {
  constexpr uint32_t kMask = 0x0f, kSign = 0x08;
  // 2^23, whose last bit is worth 1; 2^19, whose fifth is.
  auto large = static_cast<float>(int64_t(1) << (23 - shift));
  auto bits = llvm::bit_cast<uint32_t>(large);
  Value half =
      arith::AndIOp::create(e.b, e.loc, pairs, e.integers(kMask << shift));
  Value number = arith::XOrIOp::create(e.b, e.loc, half,
                                       e.integers(bits | kSign << shift));
  return e.subf(e.fromBits(number), e.splat(large + kSign));
}

Value vae::getNibbles(Emitter &e, Value pairs, bool second) {
  constexpr int64_t kHalf = 4, kAbove = 28;
  if (e.width == kChannelBlock) // AVX-512
    return getNibblesByBits(e, pairs, second ? kHalf : 0);
  auto shift = [&](int64_t bits) { return e.integers(bits); };
  Value value =
      second
          ? arith::ShRSIOp::create(e.b, e.loc, pairs, shift(kHalf)).getResult()
          : arith::ShRSIOp::create(
                e.b, e.loc,
                arith::ShLIOp::create(e.b, e.loc, pairs, shift(kAbove)),
                shift(kAbove))
                .getResult();
  return e.fromIntegers(value);
}

Value vae::loadScales(Emitter &e, Value buffer, Value at, bool shortScales) {
  constexpr int64_t kFloatBytes = 4, kShortBytes = 2;
  int64_t size = e.width * (shortScales ? kShortBytes : kFloatBytes);
  auto bytes = VectorType::get({size}, e.b.getI8Type());
  Value loaded = vector::LoadOp::create(e.b, e.loc, bytes, buffer, at);
  if (!shortScales)
    return vector::BitCastOp::create(e.b, e.loc, e.vec(), loaded);
  Value shorts = vector::BitCastOp::create(e.b, e.loc, lanesOf(e, 16), loaded);
  Value words = arith::ExtUIOp::create(e.b, e.loc, lanesOf(e, 32), shorts);
  return e.fromBits(arith::ShLIOp::create(e.b, e.loc, words, e.integers(16)));
}

Value vae::loadScaledWeights(Emitter &e, const WeightLayout &layout,
                             Value buffer, Value at, int64_t tap) {
  int64_t summands = layout.taps * layout.inputs;
  Value row = e.div(at, kChannelBlock);
  Value lane = e.sub(at, e.mul(row, kChannelBlock));
  Value block = e.div(row, summands);
  Value input = e.sub(row, e.mul(block, summands));
  Value begin = e.mul(block, layout.blockBytes());
  auto scales = [&](Value from) {
    return loadScales(e, buffer, e.add(from, e.mul(lane, layout.scaleBytes())),
                      layout.form.shortScales);
  };
  if (layout.form.bits == 8) {
    Value from = e.add(e.add(begin, e.mul(input, kChannelBlock)),
                       layout.headBytes() + tap * layout.tapBytes());
    return e.mulf(loadIntegers(e, buffer, e.add(from, lane)), scales(begin));
  }
  Value group = e.div(input, layout.form.group);
  Value from =
      e.add(e.add(begin, e.mul(group, layout.groupBytes(layout.form.group))),
            tap * layout.tapBytes());
  Value inGroup = e.sub(input, e.mul(group, layout.form.group));
  Value pair = e.div(inGroup, 2);
  Value pairs = loadNibbles(
      e, buffer,
      e.add(e.add(e.add(from, layout.headBytes()), e.mul(pair, kChannelBlock)),
            lane));
  Value integers =
      e.select(e.isMultiple(inGroup, 2), getNibbles(e, pairs, false),
               getNibbles(e, pairs, true));
  return e.mulf(integers, scales(from));
}
