// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the builder of one layer sees: its keys, inputs and tensors.
#ifndef COMPILER_IMPORT_NATIVE_LAYERBUILDER_H
#define COMPILER_IMPORT_NATIVE_LAYERBUILDER_H

#include "compiler/import/Weights.h"
#include "compiler/import/native/Model.h"
#include "llvm/ADT/StringSet.h"

namespace vae {

/// What all layers of a model share.
struct BuildContext {
  Emitter &emitter;
  WeightStore &weights;
  const ModelSpec &model;
  /// Tensors that were written in the model file itself.
  std::vector<std::unique_ptr<WeightTensor>> inlineTensors;
  /// Elements of the tensors used, running statistics not counted.
  int64_t parameters = 0;
  llvm::StringSet<> counted;
};

/// A value that enters a layer, and the name under which it was asked for.
struct LayerInput {
  mlir::Value value;
  std::string name;
};

/// A tensor of a layer, and where the file speaks of it.
struct Parameter {
  llvm::StringRef role;
  const WeightTensor *tensor = nullptr;
  JsonPosition position;
};

class LayerBuilder {
public:
  LayerBuilder(BuildContext &context, const LayerSpec &spec,
               std::vector<LayerInput> inputs);

  /// Builds the layer and its activation.
  llvm::LogicalResult build();

  BuildContext &context;
  const LayerSpec &spec;
  Fields fields;
  mlir::Location loc;
  std::vector<LayerInput> inputs;
  bool keras;
  /// What the layer gives; a null value stands for an error already reported.
  llvm::SmallVector<mlir::Value, 2> outputs;

  mlir::Value x() const { return inputs.front().value; }
  /// Shape of the first input.
  Dims dims() const { return context.emitter.getDims(x()); }
  int64_t rank() const { return dims().size(); }
  /// Size of the first input on an axis, kDynamic if it is not known.
  int64_t dim(int64_t axis) const { return getStaticDim(dims()[axis]); }

  /// Creates an operation at the layer's place; null after an error.
  template <typename OpTy, typename... Args>
  mlir::Value create(Args &&...args) {
    return context.emitter.create<OpTy>(loc, fields.getSubject(),
                                        std::forward<Args>(args)...);
  }
  /// Makes the value the layer's output; fails if it is null.
  llvm::LogicalResult finish(mlir::Value value) {
    if (!value)
      return llvm::failure();
    outputs.push_back(value);
    return llvm::success();
  }

  /// Fails, after an error, unless the first input is [N, C, H, W].
  llvm::LogicalResult requireImage();
  /// Fails unless the first input has that many (known) units on the axis.
  llvm::LogicalResult requireUnits(int64_t axis, int64_t units,
                                   llvm::StringRef what);

  /// The tensor with that role, found in the files or written inline. Without
  /// one: `tensor` is null, and an error was reported unless the file says
  /// null, for a tensor that may be absent.
  Parameter getParameter(llvm::StringRef role, bool mayBeNull = false);
  /// A constant of the shape `shape`, made of a tensor that must have the shape
  /// `fileShape`, by permuting its axes. `meaning` explains the shape in
  /// messages. Null after an error.
  mlir::Value getConstant(const Parameter &parameter,
                          llvm::ArrayRef<int64_t> fileShape,
                          llvm::ArrayRef<int64_t> permutation,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::StringRef meaning);
  /// A constant with one value a unit; null after an error or if the file says
  /// null.
  mlir::Value getVector(llvm::StringRef role, int64_t units,
                        llvm::StringRef meaning, bool mayBeNull = false);

  /// Whether key "order" is "NHWC".
  bool isChannelsLast() {
    return fields.getChoice("order", {"NCHW", "NHWC"}) == "NHWC";
  }
  /// A value with its axes permuted, or of another shape; null if it is null.
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);

  /// The axis of key "axis", negative ones counted from the end.
  int64_t getAxis(int64_t missing);
  /// The elementwise function that a value names, or describes as an object.
  /// Null after an error.
  ActivationAttr getActivation(const JsonValue &value);

private:
  const WeightTensor *readInline(llvm::StringRef role, const JsonValue &value);
  std::string hintLayout(const Parameter &parameter,
                         llvm::ArrayRef<int64_t> shape) const;
  llvm::LogicalResult applyActivation();
};

/// Reads the parameters of an elementwise function; `fields` is the layer or
/// the object of key "activation". Null after an error.
ActivationAttr readActivation(Fields &fields, llvm::StringRef type,
                              mlir::MLIRContext *context);

/// Padding "same" of a window that moves over the first input: the result has
/// ceil(size / stride) elements; an odd rest goes to the bottom and the right.
llvm::LogicalResult computeSamePadding(LayerBuilder &layer,
                                       llvm::ArrayRef<int64_t> extents,
                                       llvm::ArrayRef<int64_t> strides,
                                       llvm::SmallVectorImpl<int64_t> &padding);

// What convolutions share (LayersWeighted.cpp).

/// The bias, if key "bias" does not say false. Fails after an error.
llvm::LogicalResult getBias(LayerBuilder &layer, int64_t units,
                            mlir::Value &bias);
/// Fails, after an error, unless groups divide the channels of the first input
/// and the outputs.
llvm::LogicalResult checkGroups(LayerBuilder &layer, int64_t groups,
                                int64_t outputs);
/// As with dense: if all of the kernel's shape but the inputs is right, the
/// graph does not fit together.
llvm::LogicalResult checkInputChannels(LayerBuilder &layer,
                                       const Parameter &kernel,
                                       llvm::ArrayRef<int64_t> expected,
                                       unsigned inputAxis, int64_t groups);

/// Keys of an elementwise function; none if there is no such function.
std::optional<llvm::StringRef> getActivationKeys(llvm::StringRef type);

#define VAE_LAYER(TYPE, FUNCTION, MIN, MAX, KEYS, TENSORS)                     \
  llvm::LogicalResult FUNCTION(LayerBuilder &layer);
#include "compiler/import/native/Format.def"
llvm::LogicalResult buildActivation(LayerBuilder &layer);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_LAYERBUILDER_H
