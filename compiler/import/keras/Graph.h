// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Keras model as a graph of calls of layers: nested models are inlined, a
// layer that is called twice is there twice.
#ifndef COMPILER_IMPORT_KERAS_GRAPH_H
#define COMPILER_IMPORT_KERAS_GRAPH_H

#include "compiler/import/Json.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vae::keras {

/// What is wrong with a model, and where.
struct Problem {
  JsonPosition position;
  std::string message;
};

/// Keeps the first problem.
class Report {
public:
  /// False, for callers that return it.
  bool fail(JsonPosition position, const llvm::Twine &message) {
    if (!problem)
      problem = Problem{position, message.str()};
    return false;
  }
  std::optional<Problem> problem;
};

struct LayerTranslator;

/// A row of Layers.def.
struct LayerClass {
  llvm::StringRef name;
  bool (*translate)(LayerTranslator &layer);
  unsigned minInputs, maxInputs;
  llvm::StringRef options, weights, restrictions;
};
llvm::ArrayRef<LayerClass> getLayerClasses();
/// The class of that name; null if there is none.
const LayerClass *findLayerClass(llvm::StringRef name);

/// A weight of a layer: a word of LayerClass::weights.
struct WeightRole {
  llvm::StringRef role;
  bool trained = true;
};
/// The weights that a layer of the class has with that config.
std::vector<WeightRole> getWeightRoles(const LayerClass &type,
                                       const JsonValue *config);

/// Where the weights of a model lie.
struct WeightNames {
  /// Names of Keras 2 by the layer's object, in the order of its roles. Null:
  /// the names of Keras 3, made of a path.
  const std::map<const JsonValue *, std::vector<std::string>> *byLayer =
      nullptr;
  /// What the paths of Keras 3 begin with: "", "encoder/".
  std::string prefix;
};

struct Layer {
  const JsonValue *json = nullptr;
  /// Null if the layer has none.
  const JsonValue *config = nullptr;
  std::string className, name;
  /// Null for classes that Keras does not have, or that are not imported.
  const LayerClass *type = nullptr;
  /// "layers/conv2d_1".
  std::string path;
  JsonPosition position() const { return json->position; }
};

/// An output of a call.
struct Tensor {
  int call = -1;
  int index = 0;
  explicit operator bool() const { return call >= 0; }
  bool operator==(const Tensor &o) const {
    return call == o.call && index == o.index;
  }
  bool operator!=(const Tensor &o) const { return !(*this == o); }
  bool operator<(const Tensor &o) const {
    return std::pair(call, index) < std::pair(o.call, o.index);
  }
};

struct Call {
  const Layer *layer = nullptr;
  std::vector<Tensor> inputs;
  /// The sizes without the batch, for an input of the model; -1: any.
  std::optional<std::vector<int64_t>> inputShape;
  bool training = false;
};

/// A model that was inlined.
struct NestedCall {
  std::string name;
  const JsonValue *json = nullptr;
  unsigned depth = 0;
  std::vector<Tensor> inputs, outputs;
};

struct Graph {
  std::string name;
  JsonPosition position;
  /// Each after its inputs.
  std::vector<Call> calls;
  std::vector<Tensor> inputs, outputs;
  /// Those of a model before the model.
  std::vector<NestedCall> nested;
  WeightNames weights;
  std::vector<std::unique_ptr<Layer>> layers;

  const Layer &getLayer(Tensor tensor) const {
    return *calls[tensor.call].layer;
  }
};

/// Whether an object describes a model: its config has layers.
bool isModel(const JsonValue &object);

/// Makes the graph of a model's object. False after a problem.
bool buildGraph(const JsonValue &object, const WeightNames &weights,
                Graph &graph, Report &report);

/// "conv2d_transpose" for "Conv2DTranspose", as Keras names folders.
std::string toSnakeCase(llvm::StringRef name);

/// The layers of a model's object.
const JsonValue *getLayers(const JsonValue &object);
/// "config" of an object, "class_name", and the name of a layer.
const JsonValue *getConfig(const JsonValue &object);
llvm::StringRef getClassName(const JsonValue &object);
llvm::StringRef getName(const JsonValue &object);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_GRAPH_H
