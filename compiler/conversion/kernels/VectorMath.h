// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions of f32, on a scalar or a vector, as arithmetic. Each is
// within 4 units in the last place of the exact value, denormal results
// included, and gives NaN for NaN; docs/design/vector-math.md has the measured
// bounds. exp, log, log1p and tanh are members of Emitter.
#ifndef COMPILER_CONVERSION_KERNELS_VECTORMATH_H
#define COMPILER_CONVERSION_KERNELS_VECTORMATH_H

#include "compiler/conversion/kernels/Emitter.h"

namespace vae {

/// exp(x) - 1 for x < 0, x elsewhere.
mlir::Value emitElu(Emitter &e, mlir::Value x);
/// x * Phi(x), Phi being the standard normal distribution.
mlir::Value emitGelu(Emitter &e, mlir::Value x);
/// Its approximation by tanh.
mlir::Value emitGeluTanh(Emitter &e, mlir::Value x);
mlir::Value emitMish(Emitter &e, mlir::Value x);
mlir::Value emitSigmoid(Emitter &e, mlir::Value x);
mlir::Value emitSilu(Emitter &e, mlir::Value x);
mlir::Value emitSoftplus(Emitter &e, mlir::Value x);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_VECTORMATH_H
