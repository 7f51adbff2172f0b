// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that is compared of one model with the reference interpreter.
#ifndef TEST_E2E_MODELCHECK_H
#define TEST_E2E_MODELCHECK_H

#include "mlir/IR/MLIRContext.h"
#include "test/e2e/LaunchSizes.h"
#include "test/e2e/LayerCheck.h"
#include "test/e2e/ModelLibrary.h"

#include <optional>
#include <random>

namespace vae::test {

/// Compiles a model in this process twice, with all layers exposed and as it
/// ships. Every entry point runs with random inputs of several batches, with
/// every buffer of every launch between guard pages, and with every partition
/// of its loops. Then
///
///   1. each layer must be what the interpreter makes of the layer's operands,
///   2. the results must be what the interpreter makes of the imported model,
///   3. no partition may change a bit, and neither may exposing layers, tiles
///      or the batch; without options.deterministic zeros may have another
///      sign,
///   4. NaN and infinite inputs must go where the interpreter has them go,
///      unless layers may leave out what zeros of weights multiply.
class ModelCheck {
public:
  /// `shipTile`: the tile of the library as it ships.
  ModelCheck(std::string path, const CompileOptions &options,
             std::optional<Tile> shipTile, unsigned seed);

  /// What stands for the model in the message of a crash; default: its path.
  void setLabel(std::string text) { label = std::move(text); }

  /// The version that runs, if the options name several CPUs.
  void setVersion(std::string name) { version = std::move(name); }

  /// Says that rows of weights that are zero may be left out.
  void allowSkips() { skips = true; }

  /// What is wrong; empty if nothing is.
  std::string run();

  /// The largest errors relative to their limits.
  double worstLayer = 0, worstEntry = 0;

private:
  using Tensor = reference::Tensor;
  /// A library, and what its launches work on.
  struct Compiled {
    std::optional<ModelLibrary> library;
    std::optional<LaunchSizes> launches;
    std::vector<Tensor> run(const vae_abi_entry &entry,
                            const std::vector<int64_t> &symbols,
                            const std::vector<Tensor> &inputs, Split split,
                            Edge edge, std::string &error) const;
  };
  std::string compile(bool expose, Compiled &result);
  std::string checkEntry(const vae_abi_entry &entry, LayerCheck &check);
  std::string checkInputs(const vae_abi_entry &entry,
                          const std::vector<int64_t> &symbols,
                          const std::vector<Tensor> &inputs, bool special,
                          LayerCheck &check);
  std::string checkExamples(const vae_abi_entry &entry,
                            const std::vector<int64_t> &symbols,
                            const std::vector<Tensor> &inputs,
                            const std::vector<Tensor> &outputs);
  std::vector<int64_t> drawSymbols(int64_t batch);
  Tensor drawTensor(const vae_abi_tensor &tensor,
                    llvm::ArrayRef<int64_t> symbols, bool special);

  std::string path, label, version, errors;
  CompileOptions options;
  std::optional<Tile> shipTile;
  bool skips = false;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::mt19937 random;
  Compiled exposed, plain;
};

} // namespace vae::test

#endif // TEST_E2E_MODELCHECK_H
