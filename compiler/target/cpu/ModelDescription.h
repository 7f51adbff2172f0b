// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the table and the note of a library say of its model.
#ifndef COMPILER_TARGET_CPU_MODELDESCRIPTION_H
#define COMPILER_TARGET_CPU_MODELDESCRIPTION_H

#include "compiler/target/cpu/Cpu.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vae::table {

/// A dimension as the ABI states it.
struct Dim {
  int32_t symbol = -1;
  int64_t scale = 0, offset = 0;
};

struct Tensor {
  std::string name, roleName, layout;
  int32_t role = 0, dtype = 0;
  llvm::SmallVector<Dim> dims;
  std::optional<std::pair<float, float>> range;
};

struct Halo {
  int64_t before, after, multiple; // in values of a symbol
};

/// Whether and how an entry point runs in parts.
struct Tiling {
  std::vector<Halo> halos; // one a symbol; none: it does not
  std::string layer, operation;
};

struct Step {
  std::string layer, kernel;
  int64_t predicted; // see vae_abi_step
};

struct Entry {
  std::string name, version; // of its code; empty if there is one only
  std::vector<Tensor> inputs, outputs;
  std::vector<Step> steps;
  int64_t scratch = 0; // bytes
  std::optional<Tiling> tiling;
  /// From each point to each later one but the whole, in this order.
  std::vector<Entry> segments;
  int64_t points = 0;
};

struct Symbol {
  std::string name;
  int64_t minimum, multiple, remainder;
  bool whole; // the batch is one clip
};

/// Scale and shift of the latent: one number each, or one a channel; empty if
/// the model declares none.
struct Scaling {
  llvm::SmallVector<double> scale, shift;
};

struct Description {
  std::string name, likelihood, prior, quantization;
  std::string storage; // a name of Storage
  int64_t parameters = 0, weightBytes = 0;
  mlir::DictionaryAttr model;
  Scaling scaling;
  std::vector<Symbol> symbols;
  std::vector<Entry> entries;
};

/// What the module says of the entry points of a version; the name is empty if
/// there is one only.
llvm::Expected<Description> describe(mlir::ModuleOp module,
                                     llvm::StringRef version);

/// The name of a version, as entry points have it; empty if there is one only.
inline llvm::StringRef getName(llvm::ArrayRef<Cpu> versions, const Cpu &cpu) {
  return versions.size() > 1 ? llvm::StringRef(cpu.name) : llvm::StringRef();
}

} // namespace vae::table

#endif // COMPILER_TARGET_CPU_MODELDESCRIPTION_H
