// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small random modules, from a seed: the same on every machine.
#ifndef TEST_DIALECTS_VAE_TRANSFORMS_RANDOMGRAPH_H
#define TEST_DIALECTS_VAE_TRANSFORMS_RANDOMGRAPH_H

#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <random>

namespace vae {

/// Random numbers that do not depend on the standard library's distributions.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}
  /// first <= result <= last
  int64_t pick(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(engine() % (last - first + 1));
  }
  bool coin() { return engine() % 2; }
  /// -1 <= result < 1, a multiple of 2^-23: sums are rounded.
  float real() {
    return static_cast<float>(engine() >> 40) / float(1 << 23) - 1.0f;
  }
  std::vector<float> reals(int64_t count) {
    std::vector<float> values(count);
    for (float &value : values)
      value = real();
    return values;
  }

private:
  std::mt19937_64 engine;
};

/// Builds one function, @f, an entry point.
class GraphBuilder {
public:
  GraphBuilder(mlir::MLIRContext &context, Random &random);

  /// An argument; dimension 0 of the shape is the batch, left dynamic. With
  /// `dynamicImage` the types of 4-D arguments do not tell height and width.
  mlir::Value argument(llvm::ArrayRef<int64_t> shape,
                       bool dynamicImage = false);
  mlir::Value constant(llvm::ArrayRef<int64_t> shape);
  mlir::Value constant(llvm::ArrayRef<int64_t> shape,
                       std::vector<float> values);
  /// Scale around 1, offset, variance >= 0.5: numerically tame parameters.
  mlir::Value batchNorm(mlir::Value x);
  mlir::Value channelAffine(mlir::Value x, bool shifts = true);
  mlir::Value activation(mlir::Value x, ActivationKind kind);
  mlir::Value anyActivation(mlir::Value x);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value flatten(mlir::Value x) { return reshape(x, {-1}); }
  mlir::Value upsample(mlir::Value x, llvm::ArrayRef<int64_t> scale);
  mlir::Value dense(mlir::Value x, int64_t units);

  struct Window {
    llvm::SmallVector<int64_t, 2> kernel = {1, 1}, strides = {1, 1},
                                  dilations = {1, 1};
    llvm::SmallVector<int64_t, 4> padding = {0, 0, 0, 0};
    int64_t groups = 1;
    bool bias = true;
    mlir::Value residual;
    ActivationAttr activation;
  };
  mlir::Value conv(mlir::Value x, int64_t outputs, const Window &window);
  mlir::Value convTranspose(mlir::Value x, int64_t outputs,
                            const Window &window);

  /// A random layer or operation on `x`, or on `x` and an earlier value.
  mlir::Value anyStep(mlir::Value x);

  /// Ends the function.
  void finish(llvm::ArrayRef<mlir::Value> results);

  static int64_t dim(mlir::Value value, unsigned axis) {
    return llvm::cast<mlir::RankedTensorType>(value.getType()).getDimSize(axis);
  }
  static int64_t rank(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType()).getRank();
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder builder;
  Random &random;
  /// One tensor an argument, with a batch of 2 or 3.
  std::vector<reference::Tensor> inputs;

private:
  mlir::Value anyConv(mlir::Value x);
  mlir::Value anyImageStep(mlir::Value x);
  mlir::Value addEarlier(mlir::Value x);

  mlir::func::FuncOp function;
  mlir::Location loc;
  int64_t batch;
  llvm::SmallVector<mlir::Value> made;
};

} // namespace vae

#endif // TEST_DIALECTS_VAE_TRANSFORMS_RANDOMGRAPH_H
