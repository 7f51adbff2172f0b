// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels. Each function finds or makes a kernel specialised on channels,
// window and epilogue; batch, height and width are run-time sizes. A kernel's
// buffers and sizes are listed with it, in order. 4-D tensors are channels-last
// in memory.
#ifndef COMPILER_CONVERSION_KERNELS_KERNELS_H
#define COMPILER_CONVERSION_KERNELS_KERNELS_H

#include "compiler/conversion/kernels/WeightForm.h"
#include "dialects/vae/IR/Vae.h"

namespace vae {

/// What a kernel does to a value before it stores it.
struct Epilogue {
  bool bias = false;
  bool residual = false;
  ActivationAttr activation;
  /// Part of a kernel's name.
  std::string suffix() const;
  /// x, weight, [bias], [residual], y of a kernel's buffers; those that it does
  /// not have are null.
  std::tuple<mlir::Value, mlir::Value, mlir::Value, mlir::Value, mlir::Value>
  getBuffers(mlir::ValueRange buffers) const;
};

/// f(x) on a vector or a scalar.
mlir::Value emitActivation(Emitter &e, ActivationAttr activation,
                           mlir::Value x);

/// A name part for a number: its bits.
std::string nameOf(double value);
/// A name part for an activation with its parameters.
std::string nameOf(ActivationAttr activation);

//===----------------------------------------------------------------------===//
// Contractions (Contraction.cpp)
//===----------------------------------------------------------------------===//

/// A convolution over a channels-last image with its border, or a dense layer
/// (window 1x1 over a 1x1 image). Also one phase of a transposed convolution;
/// without inputs, what no tap reaches: the epilogue alone.
struct Contraction {
  int64_t inputs = 0;  // channels of a group
  int64_t outputs = 0; // channels of a group
  int64_t groups = 1;
  int64_t window[2] = {1, 1};
  int64_t stride[2] = {1, 1};   // of the input, per output position
  int64_t dilation[2] = {1, 1}; // of the input, per tap
  /// Images are frames of clips, of which the window covers several.
  bool video = false;
  int64_t frames = 1;        // of the window
  int64_t frameStride = 1;   // of the input, per frame of the output
  int64_t frameDilation = 1; // of the input, per frame of the window
  /// One position an image: a dense layer, or a 1x1 convolution over pixels.
  bool flat = false;
  /// Flat, of pixels, which are not always so: borders decide.
  bool pixels = false;
  /// The input has a border of zeros, whose taps need not be read.
  bool padded = false;
  /// A zero has the same sign whether or not taps of the border are read.
  bool signedZeros = false;
  /// What is multiplied, and what weights are stored as; sums are f32, or of
  /// int8 i32.
  Precision precision = Precision::F32;
  /// Integers that weights are stored as, if they are; f32 is multiplied.
  WeightForm weights;
  bool depthwise() const {
    return groups > 1 && inputs == 1 && outputs == 1 && !video;
  }
  int64_t taps() const { return frames * window[0] * window[1]; }
  /// Whether the taps of a row and their channels are side by side in memory.
  bool hasContiguousRows() const;
  /// Summands that are side by side in memory: of a row of taps, or of a tap.
  int64_t runLength() const;
  /// Those whose weights are stored: whole pairs of bf16, fours of int8, and
  /// vectors of int8 for dot products. Of weights of 4 bits, rows of 16 bytes,
  /// with scales.
  int64_t storedRunLength() const;
  /// Of an output, all of them.
  int64_t storedSummands() const;
  /// And what is stored before them: of int8, the sum of an output's weights;
  /// of weights of 8 bits, their scales.
  int64_t storedHead() const;
  /// Too few outputs to fill a vector: vectors run along the inputs.
  bool dotProducts() const;
  std::string name() const;
};

/// Sizes of the contraction kernel.
enum ContractionSize : unsigned {
  kImages,    // N
  kRows,      // output positions, vertically
  kColumns,   // and horizontally
  kInRow,     // elements of the input between rows
  kInImage,   // and between images
  kInOffset,  // where the first window begins
  kOutColumn, // elements of the output between positions
  kOutRow,
  kOutImage,
  kOutOffset,
  kOutChannel,     // between outputs; of dot products only, otherwise 1
  kPaddingRows,    // rows of zeros that the first window begins with
  kPaddingColumns, // and columns; negative where it begins within the image
  kInputRows,      // rows of the image without the border
  kInputColumns,
  kNumContractionSizes,
  // Of videos only.
  kFrames = kNumContractionSizes, // of a clip of the output
  kInClip, // elements of the input between clips, whose images are frames
  kPaddingFrames, // frames of zeros that the first window begins with
  kInputFrames,   // frames of a clip without the border
  kNumVideoSizes
};

/// Buffers: x, packed weight, [packed bias], [residual], y. The residual is
/// addressed like y.
mlir::func::FuncOp getContractionKernel(mlir::ModuleOp module,
                                        mlir::Location loc,
                                        const KernelTarget &target,
                                        const Contraction &shape,
                                        const Epilogue &epilogue);

/// Work (floating-point operations, or as many as take the same time) of one
/// item of that kernel.
int64_t getContractionItemFlops(const KernelTarget &target,
                                const Contraction &shape);

/// Packs weights given as a function of (output, input, tap row, tap column)
/// within group g: [g][block of 16 outputs][tap row][tap column][input][16];
/// tap rows of a video are those of its first frame, then of the next. They are
/// padded with zeros; depthwise: [tap row][tap column][group], of int8 after
/// the sums of all taps, [group]; for dot products: [output][tap row][tap
/// column][input].
std::vector<float>
packWeight(const Contraction &shape,
           llvm::function_ref<float(int64_t g, int64_t o, int64_t i, int64_t ky,
                                    int64_t kx)>
               weight);
/// The same of bf16, as bits: [g][block of 16 outputs][pair of
/// summands][16][2]; summands that are side by side in memory are made whole
/// pairs with a zero.
std::vector<uint16_t>
packBf16Weight(const Contraction &shape,
               llvm::function_ref<float(int64_t g, int64_t o, int64_t i,
                                        int64_t ky, int64_t kx)>
                   weight);
/// The same of int8: [g][block of 16 outputs], each the sums of the outputs'
/// weights as 16 i32, then [four summands][16][4]; summands that are side by
/// side in memory are made whole fours with zeros. For dot products: four sums
/// in 64 bytes, then [output][run of summands in multiples of 64].
std::vector<int8_t>
packInt8Weight(const Contraction &shape,
               llvm::function_ref<int8_t(int64_t g, int64_t o, int64_t i,
                                         int64_t ky, int64_t kx)>
                   weight);
/// Bias in whole blocks of 16 per group (depthwise: as it is).
std::vector<float> packBias(const Contraction &shape,
                            llvm::ArrayRef<float> bias);

/// What the epilogue of an int8 contraction reads in place of the bias: the
/// scales of all outputs as packBias has them, their biases, and these.
enum Int8Parameter : unsigned {
  kInputZeroPoint,
  kResidualZeroPoint,
  kResidualScale,
  kResultInverse, // of the scale
  kResultLow,     // without the zero point
  kResultHigh,
  kResultZeroPoint,
  kNumInt8Parameters
};

//===----------------------------------------------------------------------===//
// Elementwise (Elementwise.cpp)
//===----------------------------------------------------------------------===//

/// y = f(x..) on flat buffers. Buffers: the operands, y. Sizes: elements.
using VectorFn =
    llvm::function_ref<mlir::Value(Emitter &, mlir::ValueRange operands)>;
mlir::func::FuncOp getFlatKernel(mlir::ModuleOp module, mlir::Location loc,
                                 const KernelTarget &target,
                                 llvm::StringRef name, unsigned operands,
                                 VectorFn function);

/// y = f(x, parameters[c]..) on [rows, channels] in memory. Buffers: x, the
/// parameters (each [channels]), y. Sizes: rows.
mlir::func::FuncOp getChannelKernel(mlir::ModuleOp module, mlir::Location loc,
                                    const KernelTarget &target,
                                    llvm::StringRef name, int64_t channels,
                                    unsigned parameters, VectorFn function);

/// Where the last two dimensions of a copy of that rank begin in x and y, for
/// an index over the dimensions before them. The sizes are those of the kernels
/// below.
std::pair<mlir::Value, mlir::Value> locateCopy(Emitter &e,
                                               mlir::ValueRange sizes,
                                               unsigned rank,
                                               mlir::Value index);
/// Strided copy of `rank` >= 3 dimensions. Buffers: x, y. Sizes: the
/// dimensions, input strides, input offset, output strides, output offset.
/// `contiguous`: the last strides are 1. `inner`: the last dimension, for which
/// there is no loop then; or 0.
mlir::func::FuncOp getCopyKernel(mlir::ModuleOp module, mlir::Location loc,
                                 const KernelTarget &target, unsigned rank,
                                 bool contiguous, int64_t inner = 0);
/// The same where the last but one stride of the input is 1, and the last of
/// the output. longRows: the last but one dimension is the longer one. columns:
/// the last dimension, if it is known.
mlir::func::FuncOp getTransposeKernel(mlir::ModuleOp module, mlir::Location loc,
                                      const KernelTarget &target, unsigned rank,
                                      bool longRows, int64_t columns);
/// y = a * gate(b) of [rows, 2 * channels], a and b being the halves of a row.
/// Buffers: x, y. Sizes: rows.
mlir::func::FuncOp getGluKernel(mlir::ModuleOp module, mlir::Location loc,
                                const KernelTarget &target, int64_t channels,
                                ActivationAttr gate);
/// Means of `group` neighbouring elements; `channels` of them a row. Buffers:
/// x, y. Sizes: rows.
mlir::func::FuncOp getMeanChannelsKernel(mlir::ModuleOp module,
                                         mlir::Location loc,
                                         const KernelTarget &target,
                                         int64_t channels, int64_t group);
/// Fills the border of images. Buffers: y. Sizes: N, and with the border: rows,
/// elements of a row; of the border: rows before and after, elements before and
/// after in a row.
mlir::func::FuncOp getBorderKernel(mlir::ModuleOp module, mlir::Location loc,
                                   const KernelTarget &target, double value);

//===----------------------------------------------------------------------===//
// Windows and resampling (Window.cpp, Resample.cpp)
//===----------------------------------------------------------------------===//

/// Buffers: x, y. Sizes: N, H, W, OH, OW.
mlir::func::FuncOp getPoolKernel(mlir::ModuleOp module, mlir::Location loc,
                                 const KernelTarget &target, Pool2dOp op,
                                 int64_t channels);
/// Buffers: x, y. Sizes: N, H*W.
mlir::func::FuncOp getGlobalPoolKernel(mlir::ModuleOp module,
                                       mlir::Location loc,
                                       const KernelTarget &target,
                                       PoolKind kind, int64_t channels);
/// Buffers: x, y. Sizes: N, H, W.
mlir::func::FuncOp getUpsampleKernel(mlir::ModuleOp module, mlir::Location loc,
                                     const KernelTarget &target, UpsampleOp op,
                                     int64_t channels);

/// Buffers: x, y. Sizes: N, H, W, OH, OW.
mlir::func::FuncOp getResizeKernel(mlir::ModuleOp module, mlir::Location loc,
                                   const KernelTarget &target, ResizeOp op,
                                   int64_t channels);

//===----------------------------------------------------------------------===//
// Norms over channels (Norms.cpp)
//===----------------------------------------------------------------------===//

/// Pieces of an image whose moments are taken by themselves.
mlir::AffineExpr getNumPieces(mlir::AffineExpr pixels);
/// Moments of each channel in pieces of the pixels of [N, H, W, C]:
/// [N][pieces][3][C]. Buffers: x, moments. Sizes: N, H, W; of x, elements
/// between rows, between images, and before the first pixel.
mlir::func::FuncOp getMomentsKernel(mlir::ModuleOp module, mlir::Location loc,
                                    const KernelTarget &target,
                                    int64_t channels);
/// What normalizes each channel, [N][4][C]: the mean of its group as the sum of
/// two, the factor, the offset. Buffers: moments, [weight], [bias], parameters.
/// Sizes: N, P.
mlir::func::FuncOp getGroupParametersKernel(
    mlir::ModuleOp module, mlir::Location loc, const KernelTarget &target,
    int64_t channels, int64_t groups, double epsilon, bool weight, bool bias);
/// Normalizes [N, H, W, C]. Buffers: x, parameters, [residual], y. Sizes: N, H,
/// W; of x, then of y, elements between rows, between images, and before the
/// first pixel. A residual has no border. `store`, of that name, makes of a
/// vector of results what is stored.
mlir::func::FuncOp getNormalizeKernel(
    mlir::ModuleOp module, mlir::Location loc, const KernelTarget &target,
    int64_t channels, const Epilogue &epilogue, llvm::StringRef storeName,
    llvm::function_ref<mlir::Value(Emitter &, mlir::Value)> store);
/// RMS norm of [rows, C]. Buffers: x, [weight], [bias], [residual], y. Sizes:
/// rows.
mlir::func::FuncOp getRmsNormKernel(mlir::ModuleOp module, mlir::Location loc,
                                    const KernelTarget &target,
                                    int64_t channels, double epsilon, bool l2,
                                    bool weight, const Epilogue &epilogue);

//===----------------------------------------------------------------------===//
// Normalization and reductions (Reduce.cpp)
//===----------------------------------------------------------------------===//

/// Sum in f64 over `count` elements: body gives the addends for the vector at
/// i; lanes outside the mask are not added.
mlir::Value
sumOver(Emitter &e, mlir::Value count,
        llvm::function_ref<mlir::Value(mlir::Value i, mlir::Value mask)> body);
/// Layer norm of [rows, count]. Buffers: x, [weight], [bias], y. Sizes: rows,
/// count.
mlir::func::FuncOp getLayerNormKernel(mlir::ModuleOp module, mlir::Location loc,
                                      const KernelTarget &target,
                                      double epsilon, bool weight, bool bias);
/// Softmax of [outer, axis, inner] along axis. Buffers: x, y. Sizes: outer,
/// axis, inner.
mlir::func::FuncOp getSoftmaxKernel(mlir::ModuleOp module, mlir::Location loc,
                                    const KernelTarget &target);
/// KL divergence. Buffers: mu, logvar, [mean, std], y. Sizes: N, rows per
/// example, channels.
mlir::func::FuncOp getKlKernel(mlir::ModuleOp module, mlir::Location loc,
                               const KernelTarget &target, bool prior);
/// Log-likelihood. Buffers: x, y, [logvar], result. Sizes: N, elements.
mlir::func::FuncOp getLogLikelihoodKernel(mlir::ModuleOp module,
                                          mlir::Location loc,
                                          const KernelTarget &target,
                                          Likelihood likelihood, double scale,
                                          bool logvar);

//===----------------------------------------------------------------------===//
// Attention (Attention.cpp, AttentionInt8.cpp, LinearAttention.cpp)
//===----------------------------------------------------------------------===//

struct Attention {
  int64_t heads = 1;
  int64_t width = 0;      // channels of query and key, of a head
  int64_t valueWidth = 0; // channels of value and result, of a head
  double scale = 1;
};

/// Keys that attention works on at a time: of these, and of values, 256 KiB
/// in a head of 512 channels.
inline constexpr int64_t kKeyBlock = 64;

/// Keys as packed weights of their products with queries: [N][heads][block of
/// 16 keys][channel of the head][16], padded with zeros to whole kKeyBlocks.
/// Buffers: key, packed. Sizes: N, keys.
mlir::func::FuncOp getPackKeysKernel(mlir::ModuleOp module, mlir::Location loc,
                                     const KernelTarget &target, int64_t heads,
                                     int64_t width);
/// Softmax attention of [N, positions, channels]. Buffers: query, packed keys,
/// value, y. Sizes: N, queries, keys. Scratch of some KiB is on the stack.
mlir::func::FuncOp getAttentionKernel(mlir::ModuleOp module, mlir::Location loc,
                                      const KernelTarget &target,
                                      const Attention &shape);
/// Queries of one item of that kernel.
int64_t getAttentionQueries(const KernelTarget &target);

/// Bytes of kKeyBlock packed keys or values of a head.
int64_t getInt8KeysSize(int64_t width);
int64_t getInt8ValuesSize(int64_t valueWidth);
/// Keys as signed bytes, 128 less: [N][heads][16 keys], in whole kKeyBlocks,
/// each the sums of the keys' channels as 16 i32, then [four channels][16][4];
/// a last four has zeros. Buffers: key, packed. Sizes: N, keys.
mlir::func::FuncOp getPackInt8KeysKernel(mlir::ModuleOp module,
                                         mlir::Location loc,
                                         const KernelTarget &target,
                                         int64_t heads, int64_t width);
/// Values likewise: [N][heads][kKeyBlock values], each the sums of the values
/// of each channel as i32, where the target multiplies signed bytes, then [four
/// values][channel][4], with channels in whole blocks of 16.
mlir::func::FuncOp getPackInt8ValuesKernel(mlir::ModuleOp module,
                                           mlir::Location loc,
                                           const KernelTarget &target,
                                           int64_t heads, int64_t width);
/// What the kernel reads as numbers of f32.
enum AttentionParameter : unsigned {
  kExponentScale, // AttentionNumbers
  kQueryZeroPoint,
  kValueOffset, // 128 less the zero point
  kValueScale,
  kAttentionInverse, // of a quantized result, as Int8Parameter has them
  kAttentionLow,
  kAttentionHigh,
  kAttentionZeroPoint,
  kNumAttentionParameters
};
/// Attention of bytes. Buffers: query, packed keys, packed values, parameters,
/// y. Sizes: N, queries, keys. shape.scale is none of it.
mlir::func::FuncOp getInt8AttentionKernel(mlir::ModuleOp module,
                                          mlir::Location loc,
                                          const KernelTarget &target,
                                          const Attention &shape);

/// Products of keys and values of linear attention: [N][heads][key channel]
/// [value channel, one, padding], `getLinearColumns` wide. `width`: channels of
/// a head. Buffers: x, products. Sizes: N, pixels.
mlir::func::FuncOp getLinearKeysKernel(mlir::ModuleOp module,
                                       mlir::Location loc,
                                       const KernelTarget &target,
                                       int64_t heads, int64_t width);
int64_t getLinearColumns(int64_t width);
/// What queries make of them. Buffers: x, products, y. Sizes: N, pixels.
mlir::func::FuncOp getLinearQueriesKernel(mlir::ModuleOp module,
                                          mlir::Location loc,
                                          const KernelTarget &target,
                                          int64_t heads, int64_t width,
                                          double epsilon);

//===----------------------------------------------------------------------===//
// Codebooks (Codebook.cpp)
//===----------------------------------------------------------------------===//

/// Index of the entry nearest to each row. Buffers: x, packed codebook, y.
/// Sizes: rows.
mlir::func::FuncOp getNearestCodebookKernel(mlir::ModuleOp module,
                                            mlir::Location loc,
                                            const KernelTarget &target,
                                            int64_t entries, int64_t channels);
/// [block of 16 entries][channel][16], padded with infinity.
std::vector<float> packCodebook(llvm::ArrayRef<float> values, int64_t entries,
                                int64_t channels);
/// Entries as rows. Buffers: indices, table, y. Sizes: rows.
mlir::func::FuncOp getEmbeddingKernel(mlir::ModuleOp module, mlir::Location loc,
                                      const KernelTarget &target,
                                      int64_t entries, int64_t channels);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_KERNELS_H
