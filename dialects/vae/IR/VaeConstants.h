// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and making weights.
#ifndef DIALECTS_VAE_IR_VAECONSTANTS_H
#define DIALECTS_VAE_IR_VAECONSTANTS_H

#include "dialects/vae/IR/Vae.h"

namespace vae {

/// The values of a constant of f32, bf16 or f16. `storage` holds them if they
/// do not lie in memory as f32 already (splats, others); otherwise the result
/// aliases the constant. Empty for other element types and for resources
/// without data.
llvm::ArrayRef<float> getFloats(mlir::ElementsAttr value,
                                std::vector<float> &storage);

/// The bytes of a constant as they are in memory: one element of a splat. Empty
/// for resources without data.
llvm::ArrayRef<char> getBytes(mlir::ElementsAttr value);

/// The nearest bf16, ties to even, as its 16 bits. A finite value stays finite:
/// what would be rounded to infinity becomes the largest finite one.
uint16_t roundToBf16(float value);

/// The nearest f16, ties to even, as its 16 bits. A finite value stays finite,
/// as with roundToBf16.
uint16_t roundToF16(float value);
float getFloatOfF16(uint16_t bits);
/// The largest f16.
inline constexpr double kLargestF16 = 65504;

/// The constant behind a value; null if there is none.
ConstantOp getConstant(mlir::Value value);

/// The values of a constant f32 vector; nothing for any other value.
std::optional<std::vector<double>> getConstantVector(mlir::Value value);

/// A resource constant of f32 with the key "<name>__<hash of the bytes>".
/// `owner` keeps the bytes alive. If the context has that key with the same
/// bytes already, the existing resource serves.
/// Whoever makes a weight has read others, which MappedFiles is told.
mlir::ElementsAttr getResourceConstant(llvm::StringRef name,
                                       mlir::RankedTensorType type,
                                       llvm::ArrayRef<char> bytes,
                                       std::shared_ptr<void> owner);

/// A resource constant that owns its values.
mlir::ElementsAttr makeWeight(llvm::StringRef name,
                              llvm::ArrayRef<int64_t> shape,
                              std::vector<float> values,
                              mlir::MLIRContext *context);

/// The same of bf16, given as their bits.
mlir::ElementsAttr makeBf16Weight(llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape,
                                  std::vector<uint16_t> values,
                                  mlir::MLIRContext *context);

/// And of f16.
mlir::ElementsAttr makeF16Weight(llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> shape,
                                 std::vector<uint16_t> values,
                                 mlir::MLIRContext *context);

/// And of integers of 8 bits.
mlir::ElementsAttr makeInt8Weight(llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape,
                                  std::vector<int8_t> values,
                                  mlir::MLIRContext *context);

/// A weight in the form of another one: a resource `name`, or inline. `values`
/// are rounded to f32; null if one of them is then no finite number.
mlir::ElementsAttr makeWeightLike(mlir::ElementsAttr form, llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape,
                                  llvm::ArrayRef<double> values);

mlir::ElementsAttr makeWeightLike(mlir::ElementsAttr form, llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape,
                                  std::vector<float> values);

/// The name of a weight's tensor, without the hash; empty for inline values.
llvm::StringRef getWeightName(mlir::ElementsAttr value);

} // namespace vae

#endif // DIALECTS_VAE_IR_VAECONSTANTS_H
