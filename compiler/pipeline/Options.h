// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_OPTIONS_H
#define COMPILER_PIPELINE_OPTIONS_H

#include "compiler/calibrate/RangeTable.h"
#include "compiler/conversion/kernels/Tiling.h"
#include "compiler/import/FixSize.h"
#include "compiler/import/ModelFiles.h"
#include "compiler/recipe/Recipe.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/Transforms/WeightPattern.h"

#include <optional>
#include <string>
#include <vector>

namespace vae {

/// The stages of Stages.def.
enum class Stage {
#define VAE_STAGE(NAME, IDENTIFIER, DESCRIPTION) IDENTIFIER,
#include "compiler/pipeline/Stages.def"
};

/// What is made integers.
enum class Quantize {
  None,
  Int8, // what layers multiply (vae-quantize)
  W8,   // weights, of 8 bits (vae-assign-weights)
  W4    // and of 4
};

/// The range of a tensor that 8 bits are to represent, unless the user chooses.
inline constexpr RangeMethod kDefaultRangeMethod = RangeMethod::Mse;

/// Of a layer's units, the fraction to remove.
struct PruneTarget {
  /// Empty: of each layer that no other target names.
  std::string layer;
  /// From 0 to less than 1.
  double fraction = 0;
};

/// Of a layer's weights, those to set to zero.
struct WeightTarget {
  /// Empty: of each layer that no other target names.
  std::string layer;
  WeightPattern pattern;
};

/// A gradual schedule of pruning (M. Zhu and S. Gupta, To prune, or not to
/// prune, 1710.01878, equation 1, from no zeros): at the steps t of training
/// from `begin` in steps of `every` to `end`, the part
///
///   s_t / s_f = 1 - (1 - (t - begin) / (end - begin))^3
///
/// of the fraction s_f that is zero in the end.
struct MaskSchedule {
  int64_t begin = 0, end = 0, every = 1;
  double getPart(int64_t step) const;
};

/// Everything one compilation depends on. A plain value: two compilations in
/// two threads share nothing.
struct CompileOptions {
  /// What belongs to the model beside its main file, or stands for it.
  ModelFiles files;
  /// Entry points to compile; empty: all that the model has.
  std::vector<std::string> entries;
  /// Fixes a model's dynamic height and width.
  std::optional<ImageSize> size;
  /// Frames of a clip, of models whose batch is the frames of clips.
  std::optional<int64_t> frames;
  /// 0 (direct, no fusion) to 3.
  unsigned optLevel = 2;
  /// A library for several CPUs has a version of the code for each; the order
  /// does not matter.
  std::vector<std::string> cpus = {"native"};
  std::string triple;
  /// Lanes of the kernels' f32 vectors, 4, 8 or 16; 0: as the CPU has them. For
  /// tests: the kernels of other machines, run on this one.
  int64_t vectorWidth = 0;
  /// KernelTarget::streamBytes; none: as the CPU has it. For tests: small
  /// results take the way of large ones, on x86.
  std::optional<int64_t> streamBytes;
  /// The register tile of contractions; none: chosen for each. For study.
  std::optional<Tile> tile;
  /// How convolutions are computed, instead of the chosen algorithm:
  /// "[LAYER=]ALGORITHM" (VaeAlgorithm.h).
  std::vector<std::string> algorithms;
  /// Where what layers take by each algorithm is written, measured on this
  /// machine; this compilation uses it. Empty: nothing is measured.
  std::string tune;
  /// A file that was written so: what it lists is not measured again.
  std::string tuned;
  /// The numbers that layers multiply, but for those that must be exact
  /// (vae-assign-precision).
  Precision precision = Precision::F32;
  /// What is made integers: of these layers, whatever the precision is.
  Quantize quantize = Quantize::None;
  /// Ranges of the numbers between layers, of this model: a value, or a file of
  /// vaec calibrate. Layers without any stay as they are.
  std::optional<RangeTable> rangeTable;
  std::string ranges;
  RangeMethod rangeMethod = kDefaultRangeMethod;
  /// What layers are, instead of what is chosen: "[LAYER=]KIND", with a kind of
  /// PrecisionKinds.def.
  std::vector<std::string> quantizeLayers;
  /// With Int8, the weights of layers that multiply no integers are stored as
  /// such, but for those of which `quantizeLayers` says none.
  bool integerWeights = false;
  /// If these were searched (--quantize=auto): the budget that was kept and
  /// what was minimized, for the recipe.
  std::string searchBudget, searchObjective;
  /// What lies in memory as f16 (vae-assign-storage).
  Storage storage = Storage::F32;
  /// Which layers store weights without zeros (vae-assign-sparsity).
  std::string sparse = "size";
  /// Inputs that share a scale of W4.
  int64_t weightGroup = 32;
  /// Whether some must be exact. For tests: single layers are first and last
  /// ones.
  bool exactEnds = true;
  /// Units to remove (vae-prune-channels).
  std::vector<PruneTarget> prune;
  /// Weights to set to zero (vae-prune-weights), after that.
  std::vector<WeightTarget> pruneWeights;
  /// Whether the least important of the model go, not those of each layer.
  bool pruneGlobally = false;
  /// Importance of layers' units, by name; others have that of their weights.
  std::vector<std::pair<std::string, std::vector<double>>> unitScores;
  /// Whether these are changes of the loss, of all layers that have units to
  /// remove: of one measure, not relative to each layer's.
  bool scoresAreLoss = false;
  /// L2 norms of layers' input units over data, by name: importance of weights
  /// (WeightRequest).
  std::vector<std::pair<std::string, std::vector<double>>> inputNorms;
  /// A safetensors file with masks of the weights that are set to zero, in the
  /// model's own tensors; empty: none. With a schedule, those of each step, and
  /// a JSON file beside it (WriteMasks.h).
  std::string writeMasks;
  std::optional<MaskSchedule> maskSchedule;
  /// Compression that was decided before: these steps, and no others, but that
  /// numbers may be chosen if it has no step for them.
  std::optional<Recipe> replay;
  /// The file that these steps are from; it is read if they are not there.
  /// Empty: none.
  std::string applyRecipe;
  /// Where the steps of this compilation are written, weights beside it; empty:
  /// nowhere.
  std::string recipe;
  /// Forbids forms of convolution that are faster but less exact.
  bool exactConv = false;
  /// An example gives the same bits in any batch.
  bool deterministic = false;
  /// Line tables that lead from instructions to layers in the model's file.
  bool debugInfo = false;
  bool allowNonfinite = false;
  /// Makes the result of every layer a further output.
  bool exposeLayers = false;
  /// What to write.
  Stage emit = Stage::So;
  /// Folder for the IR after every stage; empty: none.
  std::string dumpStages;
  /// Registers temporary files with LLVM's signal handlers, which also installs
  /// those: for programs whose signals are LLVM's.
  bool removeFilesOnSignal = false;
  /// The context serves this compilation alone: weights are dropped from it as
  /// soon as nothing needs them, which halves the memory of a large model.
  bool exclusiveContext = false;

  /// Whether the stage compress has something to do, or batch norms are to be
  /// folded as if it had: a recipe without steps.
  bool compresses() const {
    return !prune.empty() || !pruneWeights.empty() ||
           (replay ? replay->steps.empty() || replay->changesLayers()
                   : !applyRecipe.empty());
  }
  /// What the recipe that is replayed says of numbers; null if it does not.
  const QuantizeStep *getReplayedKinds() const {
    return replay ? replay->find<QuantizeStep>() : nullptr;
  }
  /// Whether layers need ranges, which are not those of a recipe.
  bool needsRanges() const {
    return quantize == Quantize::Int8 && emit >= Stage::Fuse &&
           !getReplayedKinds();
  }
};

} // namespace vae

#endif // COMPILER_PIPELINE_OPTIONS_H
