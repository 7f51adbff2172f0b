// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module whose entry points are convolutions of a model, each by each
// algorithm that can compute it.
#ifndef COMPILER_TUNE_CANDIDATES_H
#define COMPILER_TUNE_CANDIDATES_H

#include "compiler/conversion/kernels/Tiling.h"
#include "compiler/tune/TuningTable.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace vae {

/// Layers of one shape, of which the first stands for all.
struct CandidateLayer {
  std::string name, shape;
  /// Whether the model leaves open the size of its images.
  bool dynamic = false;
  /// The algorithms with their entry points.
  std::vector<std::pair<Algorithm, std::string>> algorithms;
};

class Candidates {
public:
  /// Layers of shapes in `known` are left out.
  Candidates(const KernelTarget &target, const TuningTable &known)
      : target(target), known(known) {}

  /// Adds the convolutions of a module after the stage `fuse` that was told to
  /// compute all by `algorithm`: the operations have what it gave them. The
  /// first module that is added gives the symbols.
  void add(mlir::ModuleOp fused, const Algorithm &algorithm);

  /// Those that have a choice, in the order of the model.
  std::vector<CandidateLayer> getLayers() const;
  /// Null before anything is added. Weights are those of the model.
  mlir::ModuleOp getModule() { return module.get(); }

private:
  void add(mlir::Operation *op, const Algorithm &algorithm);
  CandidateLayer &getLayer(mlir::Operation *op, llvm::StringRef shape);
  void addEntry(mlir::Operation *op, llvm::StringRef name);

  KernelTarget target;
  const TuningTable &known;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::Attribute tiling;
  std::vector<CandidateLayer> layers;
  llvm::StringMap<size_t> places; // by shape
};

} // namespace vae

#endif // COMPILER_TUNE_CANDIDATES_H
