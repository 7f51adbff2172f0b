// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the calls of Keras layers to layers of the native format.
#ifndef COMPILER_IMPORT_KERAS_TRANSLATE_H
#define COMPILER_IMPORT_KERAS_TRANSLATE_H

#include "compiler/import/keras/Graph.h"

namespace vae::keras {

/// The sizes of a tensor as Keras has them, channels last and without the
/// batch; -1: known only when the model runs.
struct Shape {
  std::vector<int64_t> dims;
  /// How many times fewer rows than the image that entered, at most.
  int64_t down = 1;

  size_t rank() const { return dims.size() + 1; }
  bool isImage() const { return dims.size() == 3; }
  int64_t last() const { return dims.back(); }
};

/// "[28, 28, 1]".
std::string formatDims(llvm::ArrayRef<int64_t> dims);

/// A layer of the native format, without its name and inputs.
struct Piece {
  /// Distinguishes the pieces of one layer: "depthwise". Empty for the last.
  std::string suffix;
  JsonValue json;
  /// Inputs of the call by their index, or pieces p as -1 - p.
  std::vector<int> inputs;
};

/// What a call becomes: pieces, of which the last gives its result; none if it
/// gives its first input.
struct Fragment {
  std::vector<Piece> pieces;
  Shape shape;
  /// The layer is a custom one that draws a sample of its two inputs.
  bool isSampling = false;
  /// Why it cannot be translated. It matters only if the model needs it.
  std::optional<Problem> problem;
};

struct TranslateOptions {
  /// The file was written by Keras 2.
  bool keras2 = false;
  /// The user's word for the latent (Parts::latent). Whatever reads the two
  /// layers that it names draws the sample, a Lambda layer too.
  std::string latent;
};

/// Translates all calls of a graph, in their order.
std::vector<Fragment> translate(const Graph &graph,
                                const TranslateOptions &options);

/// One call while it is translated. The functions of Layers.def return false
/// after a problem.
struct LayerTranslator {
  const Layer &layer;
  const Graph &graph;
  const TranslateOptions &options;
  std::vector<Shape> inputs;
  Fragment &fragment;
  Report &report;

  const Shape &x() const { return inputs.front(); }
  Shape &output() { return fragment.shape; }

  bool fail(const JsonValue *value, const llvm::Twine &message);
  bool fail(const llvm::Twine &message) { return fail(nullptr, message); }
  /// The value of an option; null if absent or null.
  const JsonValue *get(llvm::StringRef key) const;
  bool getBool(llvm::StringRef key, bool missing) const;
  bool getInt(llvm::StringRef key, int64_t &value);
  bool getNumber(llvm::StringRef key, double &value);
  /// A number, or two.
  bool getPair(llvm::StringRef key, std::vector<int64_t> &pair,
               int64_t missing);
  bool getString(llvm::StringRef key, std::string &text,
                 llvm::StringRef missing);
  bool requireImage();
  bool requireChannelsLast();
  /// An axis of the input from 1, negative ones counted from the end.
  bool getAxis(const JsonValue *value, int64_t missing, int64_t &axis);

  /// Adds a piece that reads the piece before it, or the call's inputs.
  JsonValue &add(llvm::StringRef type, llvm::StringRef suffix = "");
  JsonValue number(double value) const;
  JsonValue integer(int64_t value) const;
  JsonValue string(llvm::StringRef value) const;
  JsonValue array(llvm::ArrayRef<int64_t> values) const;
  JsonValue boolean(bool value) const;
  /// The name of the tensor with that role; empty if the layer has none.
  std::string getTensor(llvm::StringRef role) const;
  /// Adds the names of tensors: pairs of a native role and one of Layers.def.
  void addWeights(
      JsonValue &piece,
      std::initializer_list<std::pair<llvm::StringRef, llvm::StringRef>> roles);
  /// Adds option "activation" to the last piece, or as a piece.
  bool addActivation(llvm::StringRef key = "activation");
};

#define KERAS_LAYER(CLASS, FUNCTION, MIN, MAX, OPTIONS, WEIGHTS, RESTRICTIONS) \
  bool FUNCTION(LayerTranslator &layer);
#include "compiler/import/keras/Layers.def"

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_TRANSLATE_H
