// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model file, read and checked, before anything is built from it.
#ifndef COMPILER_IMPORT_NATIVE_MODEL_H
#define COMPILER_IMPORT_NATIVE_MODEL_H

#include "compiler/import/native/Emitter.h"

namespace vae {

class LayerBuilder;

/// A row of Format.def: a type of layer.
struct LayerType {
  llvm::StringRef type;
  llvm::LogicalResult (*build)(LayerBuilder &layer);
  unsigned minInputs, maxInputs;
  llvm::StringRef keys, tensors;
};

/// The type of that name; null if there is none.
const LayerType *findLayerType(llvm::StringRef type);
/// All types, in the order of the table.
llvm::ArrayRef<LayerType> getLayerTypes();

/// An object of Format.def other than a layer: its name in the schema, its
/// keys.
struct ObjectType {
  llvm::StringRef name, keys;
};
llvm::ArrayRef<ObjectType> getObjectTypes();

/// Keys of the objects by name: `Keys::Model`, ...
struct Keys {
#define VAE_OBJECT(NAME, SCHEMA, KEYS)                                         \
  static constexpr llvm::StringLiteral NAME{KEYS};
#include "compiler/import/native/Format.def"
};

/// A name that stands in the file: of a layer, an output of one, an input.
struct NameRef {
  std::string name;
  JsonPosition position;
  explicit operator bool() const { return !name.empty(); }
};

struct InputSpec {
  NameRef name;
  /// The shape with the batch, in the order of `layout`.
  Dims dims;
  std::string layout;
  std::optional<std::pair<double, double>> range;
};

struct LayerSpec {
  NameRef name;
  const JsonValue *json = nullptr;
  const LayerType *type = nullptr;
  std::vector<NameRef> inputs;
};

/// The encoder or the decoder.
struct SectionSpec {
  bool present = false;
  std::string name;
  JsonPosition position;
  std::vector<NameRef> inputs;
  std::vector<LayerSpec> layers;
  /// The encoder's: what it gives besides the latent.
  std::vector<NameRef> outputs;
  /// The decoder's.
  NameRef output, outputLogvar;
};

enum class SplitKind { None, Halves, Interleaved };

struct LatentSpec {
  bool isCode = false;
  JsonPosition position;
  /// mu (or the code, or the head that is split) and logvar.
  NameRef mu, logvar;
  SplitKind split = SplitKind::None;
  std::optional<std::pair<double, double>> clamp;
  /// The shape with the batch, in the order of `layout`; empty if not given.
  Dims dims;
  std::string layout;
  /// What users of latents make of it, (z - shift) * scale: one number each, or
  /// one a channel. No scale: not declared.
  std::vector<double> scale, shift;
};

struct LikelihoodSpec {
  bool present = false;
  JsonPosition position;
  std::string kind;
  std::string parameterization;
  Likelihood likelihood = Likelihood::Gaussian;
  double scale = 1;
  bool learned = false;
  SplitKind split = SplitKind::None;
};

/// Mean and standard deviation of the prior: one number each, or one a channel.
struct PriorSpec {
  bool standard = true;
  JsonPosition position;
  std::vector<double> mean, deviation;
};

struct ModelSpec {
  std::string name;
  bool keras = false;
  std::vector<NameRef> weightFiles;
  std::vector<InputSpec> inputs;
  SectionSpec encoder, decoder;
  LatentSpec latent;
  LikelihoodSpec likelihood;
  PriorSpec prior;

  const InputSpec *findInput(llvm::StringRef name) const;
};

/// Reads the model from its JSON tree, which must outlive the result, and
/// declares its dynamic dimensions in the emitter. Fails after an error.
llvm::LogicalResult readModel(const JsonValue &root, Emitter &emitter,
                              ModelSpec &model);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_MODEL_H
