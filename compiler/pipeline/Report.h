// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation found out, as values: see docs/cli.md.
#ifndef COMPILER_PIPELINE_REPORT_H
#define COMPILER_PIPELINE_REPORT_H

#include "compiler/conversion/AlgorithmChooser.h"
#include "compiler/recipe/Recipe.h"
#include "compiler/target/cpu/Cpu.h"
#include "compiler/tune/TuningTable.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vae {

/// Who is to blame when a compilation fails.
enum class CompileFailure {
  None,
  /// The model, its weights, or a file that cannot be written.
  Input,
  /// The options: an unknown CPU.
  Usage,
  /// A stage failed on a model that was accepted: a bug of the compiler.
  Internal
};

/// A number that depends on the dynamic dimensions.
struct Formula {
  /// In terms of the dimensions' symbols ("1600*N"); empty if it is too long
  /// to be read.
  std::string text;
  /// Its values for the batches of kReportBatches, all other dimensions at
  /// their minimum; none if it is not known.
  std::vector<int64_t> values;
};
inline constexpr int64_t kReportBatches[] = {1, 64};

/// A dynamic dimension. `symbol` stands for it in formulas and shapes.
struct DimensionReport {
  std::string name, symbol;
  int64_t minimum = 1, multiple = 1, remainder = 0;
};

/// A layer of the model, as it was imported.
struct LayerReport {
  std::string name;
  /// "encoder" or "decoder".
  std::string section;
  /// Its operations, joined by '+': "dense+relu".
  std::string op;
  /// Of the result, in the order N, C, H, W: "[N, 128]".
  std::string shape;
  /// Trainable elements that the layer reads. Tensors that layers share count
  /// once in CompileReport::parameters, and here for each of them.
  int64_t parameters = 0;
  /// The numbers that it multiplies.
  Precision precision = Precision::F32;
  /// The numbers that its weights are stored as, and why not as the options
  /// say; empty if they are.
  std::string storage = "f32", storageNote;
  /// Of its weights, how many are zero.
  int64_t weights = 0, zeros = 0;
  /// Which zeros are not stored, "rows" or "bitmap"; or why all are although
  /// many are zero.
  std::string sparsity, sparsityNote;
  /// The part of its multiplications that are left out; 0 but for rows.
  double skipped = 0;
  /// Why it does not multiply integers although the options ask for it; empty
  /// if it does.
  std::string quantizeNote;
  /// All constants as they are stored, before packing.
  int64_t weightBytes = 0;
  /// Per example: floating-point operations at the smallest dynamic
  /// dimensions, and the formula.
  int64_t flops = 0;
  std::string flopsFormula;
  /// What an example costs as the layer is computed, by the model of the
  /// machine and in its unit (CostModel.h). Nothing if it has no weights.
  std::optional<double> cost;
};

/// A layer with weights, before or after it lost units.
struct LayerSize {
  /// Of its result.
  int64_t units = 0;
  /// Weight and bias.
  int64_t parameters = 0, bytes = 0;
  /// Per example, at the smallest dynamic dimensions.
  int64_t flops = 0;
  /// Predicted time as LayerReport::cost, of which only ratios count.
  double cost = 0;
  /// Weights that are zero, of how many.
  int64_t zeros = 0, weights = 0;
};

struct PrunedLayerReport {
  std::string name;
  LayerSize before, after;
  /// Which weights became zero, as WeightPattern writes it; empty if none, and
  /// why not although all layers were to lose some.
  std::string pattern, unpruned;
  /// Relative errors of the layer's result on the data that its weights were
  /// fitted to, if they were.
  std::optional<double> errorBefore, errorAfter;
};

/// What vae-prune-channels and vae-prune-weights did; empty if they did not
/// run.
struct PruneReport {
  /// All layers with weights, in the order of the entry points.
  std::vector<PrunedLayerReport> layers;
  /// Trainable elements of the model.
  int64_t parametersBefore = 0, parametersAfter = 0;
};

/// An operation of a layer that has no kernel of its own.
struct FusedReport {
  std::string layer, op;
  /// The layer that computes it now; empty if nothing does.
  std::string into;
};

/// How a convolution is computed.
struct AlgorithmReport {
  std::string layer;
  std::string algorithm; // VaeAlgorithm.h
  AlgorithmSource source = AlgorithmSource::Model;
  /// Of weights that are stored transformed.
  int64_t storedBytes = 0;
  /// What the model of the machine predicts of those that can compute it, as
  /// parts of the direct one's cost.
  std::vector<std::pair<std::string, double>> costs;
  /// What they take by the tuning table, in milliseconds; none if the layer is
  /// not in it.
  std::vector<std::pair<std::string, double>> measured;
};

/// A buffer of an arena, for one example at the smallest dynamic dimensions.
struct BufferReport {
  /// The layer that writes it first, or a kernel.
  std::string layer;
  int64_t offset = 0, bytes = 0;
  /// The launches between which it is in use, from 0.
  int64_t first = 0, last = 0;

  int64_t getEnd() const { return offset + bytes; }
  bool operator==(const BufferReport &other) const {
    return layer == other.layer && offset == other.offset &&
           bytes == other.bytes && first == other.first && last == other.last;
  }
};

struct EntryReport {
  std::string name;
  /// The CPU of its code, if there are several.
  std::string version;
  /// Launches of kernels in one run.
  int64_t launches = 0;
  Formula flops, arenaBytes;
  /// In the order of their offsets.
  std::vector<BufferReport> buffers;
};

/// Seconds spent in a stage, and in parts of the last one.
struct StageTime {
  std::string stage;
  double seconds = 0;
};

struct CompileReport {
  CompileFailure failure = CompileFailure::None;
  std::string model;
  /// SHA-256 of the imported model, if the stage compress has something to do.
  std::string hash;
  /// What that stage did.
  Recipe recipe;
  PruneReport pruning;
  /// Trainable elements of the model, before pruning.
  int64_t parameters = 0;
  /// What is compiled for, from the least to the most demanding CPU.
  std::vector<Cpu> cpus;
  std::vector<DimensionReport> dimensions;
  std::vector<LayerReport> layers;
  std::vector<FusedReport> fused;
  std::vector<AlgorithmReport> algorithms;
  /// What was read or measured.
  TuningTable tuning;
  /// Tensors of the weight files that no layer uses, sorted.
  std::vector<std::string> unusedTensors;
  std::vector<EntryReport> entries;
  std::vector<StageTime> times, steps;
  /// Distinct kernels, of all versions together.
  int64_t kernels = 0;
  /// Packed weights of the library.
  int64_t weightBytes = 0;
  /// Size of what was written.
  int64_t outputBytes = 0;
};

/// Reads dimensions and layers of the imported module; `entries` are those that
/// will be compiled (empty: all).
void reportModel(mlir::ModuleOp module, llvm::ArrayRef<std::string> entries,
                 CompileReport &report);
/// Reads the number of parameters: those of the whole model, or after the
/// simplify stage those of the entry points that are compiled.
void reportParameters(mlir::ModuleOp module, CompileReport &report);
/// Reads the sizes of layers with weights, before and after pruning.
void reportPruning(mlir::ModuleOp module, bool after,
                   const AlgorithmRules &rules, CompileReport &report);
/// Compares the module after the fuse stage with the imported layers, and reads
/// their precision, storage and algorithms, which follow from `rules`.
void reportFusion(mlir::ModuleOp fused, const AlgorithmRules &rules,
                  CompileReport &report);
/// Reads kernels, launches, operations and arenas of the module with a memory
/// plan.
void reportEntries(mlir::ModuleOp planned, CompileReport &report);

} // namespace vae

#endif // COMPILER_PIPELINE_REPORT_H
