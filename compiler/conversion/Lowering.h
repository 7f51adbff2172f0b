// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State of lowering one entry point to launches. One method per family of
// operations; see VaeToKernel.cpp.
#ifndef COMPILER_CONVERSION_LOWERING_H
#define COMPILER_CONVERSION_LOWERING_H

#include "compiler/conversion/Borders.h"
#include "compiler/conversion/Shapes.h"
#include "dialects/kernel/IR/Kernel.h"
#include "dialects/vae/IR/VaeQuant.h"

namespace vae {

/// Packed weights, shared by all entry points of a module.
struct PackedWeights {
  llvm::StringMap<mlir::ElementsAttr> values;
  /// Whether weights lose their data when no entry point reads them any more.
  bool releaseSources = false;
};

class Lowering {
public:
  /// settled: an example and a pixel get the same bits in any batch and any
  /// part of an image.
  Lowering(mlir::func::FuncOp function, const KernelTarget &target,
           bool settled, PackedWeights &packedWeights);

  llvm::LogicalResult run();

private:
  using Value = mlir::Value;
  using Exprs = llvm::SmallVector<mlir::AffineExpr>;

  llvm::LogicalResult lower(mlir::Operation *op);
  llvm::FailureOr<Value> lowerOp(mlir::Operation *op);

  // LowerLayers.cpp
  llvm::FailureOr<Value> lowerDense(DenseOp op);
  llvm::FailureOr<Value> lowerConv(Conv2dOp op);
  /// What a layer with an epilogue has.
  struct Epilogued {
    Value weight, bias, residual;
    ActivationAttr activation;
  };
  /// What a contraction reads besides its data.
  struct Operands {
    ConstantOp weight;
    Value bias, residual;
    Epilogue epilogue;
    mlir::RankedTensorType type;
    Dims dims;
    Border border; // of the result
    bool channelsFirst = false;
    /// Dot products store each output by itself, wherever it belongs.
    void storeChannelsFirst(ConvertLayoutOp conversion) {
      channelsFirst = true;
      type = llvm::cast<mlir::RankedTensorType>(conversion.getType());
    }
  };
  /// `repeat`: outputs of the contraction per output channel.
  llvm::FailureOr<Operands> layerOperands(mlir::Operation *op, Epilogued layer,
                                          const Contraction &shape,
                                          int64_t repeat);
  template <typename OpTy>
  llvm::FailureOr<Operands> layerOperands(OpTy op, const Contraction &shape,
                                          int64_t repeat = 1) {
    return layerOperands(op,
                         {op.getWeight(), op.getBias(), op.getResidual(),
                          op.getActivationAttr()},
                         shape, repeat);
  }
  /// Scales of sums, biases (repeated alike) and parameters of the epilogue of
  /// an int8 contraction.
  std::vector<float> packInt8Parameters(mlir::Operation *op,
                                        const Contraction &shape,
                                        llvm::ArrayRef<float> bias,
                                        int64_t repeat, Value residual);
  /// Packs weights of shape.weights.
  mlir::ElementsAttr packIntegers(
      mlir::Operation *op, mlir::ElementsAttr source, llvm::StringRef name,
      const Contraction &shape,
      llvm::function_ref<float(llvm::ArrayRef<float>, int64_t g, int64_t o,
                               int64_t i, int64_t ky, int64_t kx)>
          weight);
  // LowerSparse.cpp
  /// Has a bitmap expanded, `inputs` being x and that: its place is taken by
  /// the weights, and the shape's form is theirs; or they come behind it, where
  /// the kernel reads both.
  void expandWeight(mlir::Operation *op, Contraction &shape, bool transforms,
                    mlir::AffineExpr positions,
                    llvm::SmallVectorImpl<Value> &inputs);
  /// What the layer asks for, where the contraction has such a form.
  static void choosePrecision(mlir::Operation *op, Contraction &shape);
  /// The conversion of a result to channels first, if that is its only use.
  static ConvertLayoutOp getConversion(Value result, Value residual);
  Exprs makeContractionSizes();
  /// The same as a constant.
  Value storeTransformed(mlir::Operation *op, const Winograd &form,
                         Value weight);
  /// The weights of a Winograd kernel.
  Value transformWeight(mlir::Operation *op, const Winograd &form,
                        const WeightForm &stored, Value weight);
  Value contract(mlir::Operation *op, Contraction shape,
                 const Operands &operands, Value x, Value weight,
                 llvm::ArrayRef<mlir::AffineExpr> sizes, Value init,
                 mlir::AffineExpr flops = {});
  Value packWeight(
      mlir::Operation *op, ConstantOp source, const Contraction &shape,
      llvm::StringRef kind,
      llvm::function_ref<float(llvm::ArrayRef<float>, int64_t g, int64_t o,
                               int64_t i, int64_t ky, int64_t kx)>
          weight);

  // LowerTransposed.cpp
  llvm::FailureOr<Value> lowerConvTranspose(ConvTranspose2dOp op);
  llvm::FailureOr<Value> lowerConvTransposeOfPixel(ConvTranspose2dOp op);
  llvm::FailureOr<Value> lowerEpilogue(ConvTranspose2dOp op);

  // LowerVideo.cpp
  llvm::FailureOr<Value> lowerConv3d(Conv3dOp op);
  llvm::FailureOr<Value> lowerChannelsToFrames(ChannelsToFramesOp op);
  llvm::FailureOr<Value> lowerFramesToChannels(FramesToChannelsOp op);
  /// `padding`: front, top, left, back, bottom, right.
  Value padVideo(mlir::Location loc, Value x, llvm::ArrayRef<int64_t> padding,
                 double value);

  // LowerPointwise.cpp
  llvm::FailureOr<Value> lowerElementwise(mlir::Operation *op);
  llvm::FailureOr<Value> lowerBatchNorm(BatchNormOp op);
  llvm::FailureOr<Value> lowerChannelAffine(ChannelAffineOp op);
  llvm::FailureOr<Value> lowerPrelu(PreluOp op);
  llvm::FailureOr<Value> lowerGlu(GluOp op);
  llvm::FailureOr<Value> lowerMeanChannels(MeanChannelsOp op);
  Value applyPerChannel(mlir::Operation *op, llvm::StringRef name, Value x,
                        llvm::ArrayRef<Value> parameters, VectorFn function);
  llvm::FailureOr<Value> lowerPool(Pool2dOp op);
  llvm::FailureOr<Value> lowerGlobalPool(GlobalPoolOp op);
  llvm::FailureOr<Value> lowerUpsample(UpsampleOp op);
  llvm::FailureOr<Value> lowerResize(ResizeOp op);
  llvm::FailureOr<Value> lowerKl(KlOp op);
  llvm::FailureOr<Value> lowerLogLikelihood(LogLikelihoodOp op);

  // LowerAttention.cpp
  llvm::FailureOr<Value> lowerAttention(AttentionOp op);
  Value lowerIntegerAttention(AttentionOp op, const Attention &shape);
  /// Bytes of keys or values as their kernel reads them.
  Value packInt8Rows(Value rows, int64_t heads, bool values);
  llvm::FailureOr<Value> lowerLinearAttention(LinearAttentionOp op);
  llvm::FailureOr<Value> lowerNearestCodebook(NearestCodebookOp op);
  llvm::FailureOr<Value> lowerEmbedding(EmbeddingOp op);

  // LowerNorms.cpp
  llvm::FailureOr<Value> lowerGroupNorm(GroupNormOp op);
  llvm::FailureOr<Value> lowerRmsNorm(RmsNormOp op);
  llvm::FailureOr<Value> lowerLayerNorm(LayerNormOp op);
  llvm::FailureOr<Value> lowerSoftmax(SoftmaxOp op);

  // LowerMovement.cpp
  llvm::FailureOr<Value> lowerPixelShuffle(PixelShuffleOp op);
  llvm::FailureOr<Value> lowerPixelUnshuffle(PixelUnshuffleOp op);
  llvm::FailureOr<Value> lowerRepeatChannels(RepeatChannelsOp op);
  llvm::FailureOr<Value> lowerConcat(ConcatOp op);
  llvm::FailureOr<Value> lowerSlice(SliceOp op);
  llvm::FailureOr<Value> lowerTranspose(TransposeOp op);
  llvm::FailureOr<Value> lowerConvertLayout(ConvertLayoutOp op);
  /// Between channels first and last, with that border behind the channels.
  Value changeLayout(mlir::Location loc, Value x, mlir::RankedTensorType type,
                     const Border &border);
  Value padImage(mlir::Location loc, Value x, const Border &padding,
                 double value);
  /// An image of `dims` in memory of which the border only is written.
  Value makeBorder(mlir::Location loc, const Dims &dims, const Border &border,
                   double value, mlir::RankedTensorType type);
  /// x with that border in memory: as it is if it was made so, else a copy.
  Value withBorder(mlir::Location loc, Value x, const Border &border);
  Value cropImage(mlir::Location loc, Value x, llvm::ArrayRef<int64_t> border,
                  mlir::RankedTensorType type);
  /// A strided copy of any number of dimensions.
  struct Region {
    Exprs dims, inStrides, outStrides;
    mlir::AffineExpr inOffset, outOffset;
  };
  Value copy(mlir::Location loc, Value x, Region region,
             mlir::RankedTensorType type, const Dims &dims, Value init = {});
  /// The copy from `few` frames of more channels to `many`.
  Region makeFrameRegion(const Dims &few, const Dims &many, int64_t factor,
                         bool channelMajor);
  Value permuteMemory(mlir::Location loc, Value x, const Dims &inOrder,
                      llvm::ArrayRef<int64_t> permutation,
                      mlir::RankedTensorType type, const Dims &dims);
  /// [N, C, ..] as [N, .., C] in memory, so that channels are innermost;
  /// unchanged if they are. And back.
  Value channelsInnermost(Value x);
  Value channelsRestored(Value y, Value like);

  // Common.
  /// What a launch does, where it is not what its operands say. Null: the
  /// operations that the current layer has left; the elements of all inputs;
  /// the elements of the result.
  struct Work {
    mlir::AffineExpr flops, read, written;
  };
  Value launch(mlir::Location loc, mlir::func::FuncOp kernel,
               mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineExpr> sizes,
               int64_t itemFlops, mlir::RankedTensorType type, const Dims &dims,
               Value init = {}, Work work = {});
  /// A copy, of other numbers if the type says so.
  Value convert(mlir::Location loc, Value x, mlir::RankedTensorType type);
  /// The nearest integers to a vector of numbers, as bytes.
  static Value quantize(Emitter &e, Value x, const Quantization &to);
  /// A name part for a quantization: its numbers.
  static std::string nameQuantization(mlir::quant::UniformQuantizedType type);
  /// Whether the layer being lowered is the last to read a buffer and may write
  /// its result there, each element after all that it reads of it.
  bool canOverwrite(Value value, mlir::Operation *layer);
  Value alias(mlir::Location loc, Value x, mlir::RankedTensorType type,
              const Dims &dims);
  /// A tensor that only the launches of one layer know.
  mlir::RankedTensorType scratchType(const Dims &dims) {
    return getTensorType(dims, builder.getF32Type());
  }
  Value constant(mlir::Location loc, llvm::StringRef name,
                 std::vector<float> values);
  /// The logical shape; getMemoryDims: in the order of memory. A copy: the map
  /// moves its values when it grows.
  Dims getDims(Value value);
  Dims getMemoryDims(Value value);
  /// The border that an image has in memory, outside of its dimensions.
  Border getBorder(Value value) const { return borders.lookup(value); }
  static Dims addBorder(const Dims &dims, const Border &border) {
    return {dims[0], dims[1], dims[2] + (border[0] + border[2]),
            dims[3] + (border[1] + border[3])};
  }
  /// Where the pixels of a result go, from its first pixel, `columns` and
  /// `rows` apart.
  void placeOutput(Exprs &sizes, const Operands &operands, int64_t rows = 1,
                   int64_t columns = 1, int64_t firstRow = 0,
                   int64_t firstColumn = 0);
  /// Where the windows on an image with a border begin: the first one that many
  /// rows and columns before the image.
  void placeInput(Exprs &sizes, Value x, int64_t rowsBefore,
                  int64_t columnsBefore);
  mlir::AffineExpr expr(int64_t value);
  mlir::AffineExpr count(llvm::ArrayRef<mlir::AffineExpr> dims);
  /// Elements of a buffer in units of an f32.
  static mlir::AffineExpr countWords(mlir::AffineExpr elements,
                                     mlir::Type type);
  /// Those of all of it.
  mlir::AffineExpr countRead(Value value) {
    return countWords(count(getDims(value)), value.getType());
  }
  /// The machine, and which buffers of a kernel for these tensors are of f16.
  KernelTarget getTarget(mlir::ValueRange inputs, mlir::Type result) const;
  /// Elements of a channel.
  mlir::AffineExpr countRows(Dims dims) {
    dims[1] = expr(1);
    return count(dims);
  }

  mlir::func::FuncOp function;
  mlir::ModuleOp module;
  KernelTarget target;
  bool settled;
  PackedWeights &packedWeights;
  mlir::OpBuilder builder;
  unsigned numSymbols = 1;
  llvm::DenseMap<Value, Dims> dims;
  llvm::DenseMap<mlir::Operation *, Border> wantedBorders;
  llvm::DenseMap<Value, Border> borders;
  mlir::AffineExpr flops;
  mlir::AffineExpr flopsLeft; // of the current layer, for its next launch
};

inline bool isChannelsLast(mlir::Value value) {
  auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
  auto layout = llvm::dyn_cast_or_null<LayoutAttr>(type.getEncoding());
  return layout && layout.getKind() == LayoutKind::ChannelsLast;
}

inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

} // namespace vae

#endif // COMPILER_CONVERSION_LOWERING_H
