// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A short hand for the arith, scf, vector and memref operations that kernels
// are made of.
#ifndef COMPILER_CONVERSION_KERNELS_EMITTER_H
#define COMPILER_CONVERSION_KERNELS_EMITTER_H

#include "compiler/conversion/kernels/Tiling.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"

namespace vae {

/// Operations on index values, f32 vectors and flat buffers at an insertion
/// point.
class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc, int64_t width)
      : b(builder), loc(loc), width(width) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const int64_t width;
  /// What is set to 1 where a number does not fit f16; null if the kernel
  /// stores none.
  mlir::Value guard;

  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;
  using Values = llvm::SmallVector<mlir::Value>;

  // Index arithmetic; all operands of div and rem are >= 0.
  Value index(int64_t value);
  Value add(Value x, Value y);
  Value add(Value x, int64_t y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value mul(Value x, int64_t y);
  Value div(Value x, Value y);
  Value div(Value x, int64_t y);
  Value rem(Value x, int64_t y);
  Value ceilDiv(Value x, int64_t y);
  Value min(Value x, Value y);
  Value max(Value x, Value y);
  Value less(Value x, Value y);
  Value isMultiple(Value x, int64_t y);
  Value select(Value condition, Value x, Value y);
  Value both(Value x, Value y);
  Value either(Value x, Value y);

  // Control flow.
  void loop(Value lower, Value upper, int64_t step,
            llvm::function_ref<void(Value)> body);
  Values loop(Value lower, Value upper, int64_t step, ValueRange init,
              llvm::function_ref<Values(Value, ValueRange)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
  Values ifElse(Value condition, llvm::function_ref<Values()> body,
                llvm::function_ref<Values()> otherwise);
  /// A table of index values, or others, on the stack; only at the beginning of
  /// a kernel.
  Value stack(int64_t entries, mlir::Type element = {});

  // f32 and vectors of f32.
  mlir::FloatType f32() { return b.getF32Type(); }
  mlir::FloatType f64() { return b.getF64Type(); }
  mlir::VectorType vec() { return mlir::VectorType::get({width}, f32()); }
  mlir::VectorType vec64() { return mlir::VectorType::get({width}, f64()); }
  /// A constant of the given float or float vector type.
  Value constant(mlir::Type type, double value);
  Value splat(double value) { return constant(vec(), value); }
  Value broadcast(Value scalar);
  /// A run-time f64 as a vector of f32.
  Value splatOf(Value scalar64) { return broadcast(truncate(scalar64)); }
  // Buffers may be of f16, whose elements are f32 once they are loaded; or of
  // bytes, which are integers from 0 to 255, as f32 too.
  Value load(Value buffer, Value at);
  void store(Value value, Value buffer, Value at);
  /// Has a line of a buffer brought into the L2 cache; it need not exist.
  void prefetch(Value buffer, Value at);
  /// A whole vector, or its first lanes where `mask` is set (others are 0).
  Value loadVec(Value buffer, Value at, Value mask = {});
  void storeVec(Value value, Value buffer, Value at, Value mask = {});
  /// A whole vector that does not stay in the caches: `at` a multiple of its
  /// lanes in an aligned buffer. Others see it after a fenceStreams.
  void streamVec(Value value, Value buffer, Value at);
  void fenceStreams();
  /// Whether a buffer begins at a multiple of a vector's size.
  Value isAligned(Value buffer);
  /// The first lanes, in whole pieces.
  void storeFirst(Value value, Value buffer, Value at, int64_t lanes);
  /// Mask of the first `lanes` lanes.
  Value mask(Value lanes);
  Value mask(int64_t lanes);
  Value addf(Value x, Value y);
  Value subf(Value x, Value y);
  Value mulf(Value x, Value y);
  Value divf(Value x, Value y);
  Value fma(Value x, Value y, Value z);
  Value maxf(Value x, Value y);
  Value minf(Value x, Value y);
  Value negf(Value x);
  Value absf(Value x);
  Value sqrt(Value x);
  Value extend(Value x);   // f32 -> f64
  Value truncate(Value x); // f64 -> f32
  // F16.cpp
  Value widen(Value x); // f16 -> f32
  /// The nearest f16s; finite numbers stay finite. Where one had to become the
  /// largest, in a lane of the mask if there is one, `guard` says so.
  Value narrow(Value x, Value mask = {});
  /// Sum of the lanes.
  Value reduceAdd(Value x);
  Value toFloat(Value index);
  /// Lane l of the result is what all lanes of vectors[l] give, for no more
  /// vectors than lanes; of fewer, other lanes repeat them.
  Value combineEach(Values vectors,
                    llvm::function_ref<Value(Value, Value)> combine);

  // bf16 (Bf16.cpp), in vectors of twice as many lanes as those of f32.
  Value loadPairs(Value buffer, Value at);
  /// The first or the second bf16 of each pair as f32.
  Value firstOfPairs(Value pairs);
  Value secondOfPairs(Value pairs);
  /// The nearest bf16s, half a vector of pairs; finite ones stay finite.
  Value roundToBf16(Value x);
  /// x[l] + a[l] * b[l] for both elements of each pair, by
  /// KernelTarget::bf16Dot.
  Value addDots(Value x, Value a, Value b);

  // Tiles of AMX, by their numbers (Amx.cpp).
  /// Where an element of a buffer is.
  Value address(Value buffer, Value at);
  /// Makes all of them 16 rows of 64 bytes; `table`: 16 i32 for the
  /// description.
  void configureTiles(Value table);
  void releaseTiles();
  void zeroTile(int64_t tile);
  /// Rows in memory: where the first one is, and bytes from each to the next.
  struct TileRows {
    Value address, bytes;
  };
  void loadTile(int64_t tile, const TileRows &rows);
  void storeTile(int64_t tile, const TileRows &rows);
  /// Adds the products of the summands of 16 rows of a and 16 outputs of b: of
  /// unsigned and signed bytes, in fours, or of bf16, in pairs.
  void addTileDots(int64_t sums, int64_t a, int64_t b, bool bytes);

  // Pairs of 16-bit integers as the bits of f32 (Int16.cpp).
  /// The nearest integer to x * factor, which is less than 2^15 in magnitude,
  /// in the lower half of each lane's bits.
  Value roundToInt16(Value x, Value factor);
  /// The lower halves of two such vectors as pairs.
  Value joinPairs(Value first, Value second);
  /// sums[l] + a[l] * b[l] for both elements of each pair, in vectors of i32.
  Value addIntegerDots(Value sums, Value a, Value b, bool vnni);
  /// The larger magnitude, in bits: those of NaN are the largest.
  Value maxMagnitude(Value bits, Value x);
  Value integers(uint32_t bits); // a vector of i32
  Value toBits(Value x);         // as i32
  Value fromBits(Value x);
  Value fromIntegers(Value x); // i32 -> f32

  // Bytes (Int8.cpp).
  mlir::VectorType ints(); // a vector of i32
  /// Integers from 0 to 255 in vectors or scalars, bytes as f32 and back.
  Value widenBytes(Value x);
  Value narrowToBytes(Value x);
  /// What Quantization of VaeQuant.h is, in vectors: of f32, `low` and `high`
  /// without the zero point; the zero point of i32.
  struct QuantizationValues {
    Value inverse, low, high, zeroPoint;
  };
  /// The nearest integers, as bytes.
  Value quantize(Value x, const QuantizationValues &to);
  /// Of integers, and the zero point, as f32.
  Value dequantize(Value q, Value zeroPoint, Value scale);
  /// Bytes in fours, those of each lane as the bits of an i32.
  Value loadFours(Value buffer, Value at);
  /// Four bytes in all lanes.
  Value broadcastFour(Value buffer, Value at);
  /// sums[l] + (a[l] - getByteOffset()) * b[l] for the four bytes of each lane,
  /// those of a unsigned and those of b signed. Nothing saturates.
  static int64_t getByteOffset(const KernelTarget &target);
  Value addByteDots(Value sums, Value a, Value b, const KernelTarget &target);

  // Elementary functions of f32 (VectorMath.cpp).
  Value exp(Value x);
  Value log(Value x);
  Value log1p(Value x);
  Value tanh(Value x);

  /// Calls body(i, mask) for i = 0, width, .. < count; the mask is null for
  /// whole vectors. A constant count gives a tail of known size.
  void strip(Value count, llvm::function_ref<void(Value, Value)> body);
};

/// The type, of a scalar or a vector, with other elements.
mlir::Type withElements(mlir::Type type, mlir::Type element);

/// The arguments of a kernel inside its body.
struct KernelArgs {
  mlir::ValueRange buffers; // operands, then the result
  mlir::ValueRange sizes;
  mlir::Value begin, end;
  mlir::Value scratch; // of f32, aligned to 64 bytes; null without any
};

/// Whether a buffer is of f16, or of bytes.
bool holdsF16(mlir::Value buffer);
bool holdsBytes(mlir::Value buffer);

/// In the place of the number of a buffer: none.
inline constexpr unsigned kNoBuffer = ~0u;

/// Finds or makes the kernel `name` and its count function. `scratchBytes`: of
/// each range of items that is run at the same time. Buffers are of f32, but
/// for bf16Buffer and those of target.f16Buffers and target.byteBuffers, of
/// which the name tells.
mlir::func::FuncOp getOrCreateKernel(
    mlir::ModuleOp module, mlir::Location loc, llvm::StringRef name,
    const KernelTarget &target, unsigned numBuffers, unsigned numSizes,
    llvm::function_ref<mlir::Value(Emitter &, mlir::ValueRange)> count,
    llvm::function_ref<void(Emitter &, const KernelArgs &)> body,
    int64_t scratchBytes = 0, unsigned bf16Buffer = kNoBuffer);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_EMITTER_H
