// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_TRANSFORMS_PASSES_TD
#define VAE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def AbsorbFlattenPass : Pass<"vae-absorb-flatten", "::mlir::ModuleOp"> {
  let summary = "Dense layers take and give images in the order of memory";
  let description = [{
    Between convolutions and dense layers an image [N, C, H, W] becomes a vector
    in the order C, H, W, or a vector an image. Convolutions hold it in the order
    H, W, C, so that each such seam would be a copy. Instead

    1. the columns of a dense layer's weight are reordered, if its data is such a
       vector: the image is transposed to H, W, C, which moves nothing in
       channels-last memory, and flattened then;
    2. the rows of its weight and its bias are reordered, if its result is such a
       vector and nothing else uses it.

    Only where the image is the result, or the operand, of operations on images:
    a color image that enters a model and is flattened at once stays as it is.
    The terms of each sum are added in another order; rule 2 gives the same bits.
    The sizes must be known, and the weight an f32 constant.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"absorb", "absorb", "bool", "true", "Reorder weights; false: do nothing">];
  let statistics = [
    Statistic<"numFlattened", "flattened", "Number of layers with reordered columns">,
    Statistic<"numUnflattened", "unflattened", "Number of layers with reordered rows">];
}

def ExposeLayersPass : Pass<"vae-expose-layers", "::mlir::func::FuncOp"> {
  let summary = "Makes the result of every layer an output";
  let description = [{
    Gives an entry point further results: what every operation computes that is
    not returned already, in the order of execution, row-major in the order of
    the logical shape, with role `layer`. It runs after fusion, so that what is
    compared layer by layer is what ships; values inside a fused operation do not
    exist and have no output.

    An output has the name of the layers that became the operation, joined by
    "+". Where one layer is several operations, the last has the layer's name
    and the ones before "#1", "#2", .. behind it. A value whose height or width is
    no linear function of the input's is left out, for the C ABI cannot state its
    shape.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"expose", "expose", "bool", "true", "Expose layers; false: do nothing">];
  let statistics = [
    Statistic<"numExposed", "exposed", "Number of results exposed">];
}

def ExtractEntriesPass : Pass<"vae-extract-entries", "::mlir::ModuleOp"> {
  let summary = "Keeps the entry points asked for";
  let description = [{
    Erases the other entry points (functions with `vae.entry`) and the private
    functions that are then not called, so that a library which only encodes
    holds no weight of the decoder and the other way round. The number of
    parameters in `vae.model` follows. A name that the model does not have is an
    error.
  }];
  let options = [
    ListOption<"entries", "entries", "std::string",
               "Names of the entry points to keep; none: all">];
  let statistics = [
    Statistic<"numErased", "entries-erased", "Number of entry points erased">];
}

def FindHalosPass : Pass<"vae-find-halos", "::mlir::func::FuncOp"> {
  let summary = "Finds what tiles of an image must overlap to give the same bits";
  let description = [{
    Gives entry points with dynamic sizes the attribute `vae.tiling`. A tile is
    the part of all images from a unit of a symbol to another one (`vae.symbols`;
    units of their multiple); the code is run on it as on a smaller image. What
    differs from the run on the whole lies at the borders of the tile that are
    none of the image: there a convolution sees zeros instead of pixels.
    Operations that depend on few pixels around each say how far that reaches
    (LocalOpInterface); from the arguments on, the elements that differ are
    counted at both ends of every axis.

    `halos = [array<i64: before, after, multiple>, ..]`, for each symbol: tiles
    must begin that many units before what is taken from them, and end that many
    after it, and begin and end at multiples, where every stride of the model
    has an element. Zeros: nothing follows the symbol.

    `layer` and `operation` instead: the first operation that depends on the
    whole image, such as a group norm; or the input whose axes follow no symbol
    of their own.

    It runs last of the stage, on what will be compiled: fusion changes what a
    result depends on.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let statistics = [
    Statistic<"numTiled", "tiled", "Number of entry points that can run in tiles">,
    Statistic<"numWhole", "whole", "Number of entry points that cannot">];
}

def FoldBatchNormPass : Pass<"vae-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "Folds batch normalization into the layers around it";
  let description = [{
    In inference, batch normalization is y = x * scale[c] + offset[c] with
    scale = weight / sqrt(variance + epsilon), offset = bias - mean * scale. So
    is `vae.channel_affine` and the affine activation; all three are folded

    1. into the layer before, if its only use is this one, through reshapes that
       keep every unit within one channel: weight' = weight * scale, bias' =
       bias * scale + offset. Not if the layer has an activation or a residual.
    2. else into the layer after, if it is the only use: weight' = weight *
       scale along the input units, bias' = bias + sum of weight * offset. If
       the layer reads zeros beside the data (padding), then only with offsets
       that are all zero.
    3. else batch normalization becomes `vae.channel_affine`.

    New weights are computed in f64 and rounded once. Nothing is folded if a
    weight is no f32 constant, or if a new value would not be finite.

    Runs best before inlining: what the entry points share is folded once.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"intoPrevious", "into-previous", "bool", "true",
           "Fold into the layer before">,
    Option<"intoNext", "into-next", "bool", "true",
           "Fold into the layer after">,
    Option<"toAffine", "to-affine", "bool", "true",
           "Turn the rest into channel_affine">];
  let statistics = [
    Statistic<"numPrevious", "folded-into-previous",
              "Number of operations folded into the layer before">,
    Statistic<"numNext", "folded-into-next",
              "Number of operations folded into the layer after">,
    Statistic<"numAffine", "turned-into-affine",
              "Number of batch norms that became channel_affine">];
}

def FuseEpiloguePass : Pass<"vae-fuse-epilogue", "::mlir::func::FuncOp"> {
  let summary = "Fuses bias, residual and activation into the layer before";
  let description = [{
    Layers finish a result before they store it: y = activation(op(x) + bias +
    residual). An operation with FusableIntoOpInterface becomes part of the
    layer (EpilogueOpInterface) whose result it takes, if that result has the
    same type and no other use: `vae.channel_affine` with scale 1 becomes bias,
    `vae.add` the residual, `vae.activation` the activation. The order is that of
    the formula: nothing is fused into a layer that has an activation.

    Where both operands of an addition are layers, the later one takes the other
    as residual. If the residual is computed after the layer, the layer moves
    down to the addition.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"biases", "biases", "bool", "true", "Fuse biases">,
    Option<"residuals", "residuals", "bool", "true", "Fuse residuals">,
    Option<"activations", "activations", "bool", "true", "Fuse activations">];
  let statistics = [
    Statistic<"numBiases", "biases", "Number of biases fused">,
    Statistic<"numResiduals", "residuals", "Number of residuals fused">,
    Statistic<"numActivations", "activations", "Number of activations fused">];
}

def FuseUpsamplePass : Pass<"vae-fuse-upsample", "::mlir::ModuleOp"> {
  let summary = "Turns nearest upsampling and a convolution into one transposed convolution";
  let description = [{
    A convolution of an image enlarged s times by repetition sees every input
    pixel s times, under adjacent weights. With kernel k, stride 1, dilation 1
    and padding p_before, p_after <= k - 1 it is the transposed convolution with
    stride s, kernel k + s - 1, padding k - 1 - p_before, k - 1 - p_after and the
    weight (on each axis)

        W[t] = sum of w[a] over 0 <= a < k with k-1-a <= t <= k-1-a + s-1.

    Bias, residual, activation and groups stay. The transposed convolution is
    compiled as s * s convolutions on the small image, whose kernels have at most
    ceil((k + s - 1) / s) taps an axis: for s = 2, k = 3, 4 instead of 9.

    A 1x1 convolution without residual moves before the upsampling instead,
    which gives the same bits with s * s times fewer operations.

    Sums of weights are computed in f64 and rounded once, so results differ from
    the two operations only by that rounding; --exact-conv does not forbid it.
    Each convolution is rewritten by itself; an upsampling with other uses stays
    for them. Nothing happens if the weight is no f32 constant, or if a sum would
    not be finite.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"maxFactor", "max-factor", "int64_t", "4",
           "Largest factor of an axis; the weight grows with (k + s - 1)^2 / k^2. 1: none">];
  let statistics = [
    Statistic<"numFused", "fused",
              "Number of convolutions that became transposed convolutions">,
    Statistic<"numMoved", "moved",
              "Number of 1x1 convolutions moved before the upsampling">];
}

def PruneChannelsPass : Pass<"vae-prune-channels", "::mlir::ModuleOp"> {
  let summary = "Removes units: neurons of dense layers and channels of convolutions";
  let description = [{
    Structured pruning. The units of a layer with weights (PrunableOpInterface)
    are followed through the other operations (UnitCarrierOpInterface) to the
    layers that read them. Weights lose the rows of units that are removed and
    the columns that read them, and every tensor between gets smaller.

    Units that can only be removed together are one: channels whose layers are
    added, multiplied or gated by each other; the channels of a group of a group
    norm, or of a convolution in groups; the neurons of a dense layer that become
    the pixels of one channel; the channels that pixel_shuffle makes one. Units
    that are an output, the latent, or read by an operation that cannot do
    without them (attention, layer norm over channels, codebooks, likelihoods)
    are never removed. Entry points that share a weight lose the same units.

    Of each layer, or set of layers that share units, the fraction `channels` of
    what can be removed goes, rounded down: those of least importance, which is
    the L2 norm of a unit's weights relative to the layer's root mean square
    (H. Li et al., Pruning filters for efficient ConvNets, 1608.08710); for units
    of several layers, the mean. With the scope `global`, the least important of
    the whole model go. Other scores may take the place of norms; with `absolute`
    they are not relative to their layer's, and every layer must have some.

    What is left computes what the original does with all elements of removed
    units set to zero, after every operation: also after those that would make
    something else of a zero, as a bias, a sigmoid or a norm's offset. RMS norms
    keep the divisor of all channels.

    The module gets `vae.pruned`, the units that each layer has lost; the number
    of parameters in `vae.model` follows. A layer that would lose all of its
    units is an error.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"channels", "channels", "double", "0",
           "Fraction of the units to remove, less than 1">,
    Option<"scope", "scope", "std::string", "\"layer\"",
           "Compare units within a layer, or global: within the model">,
    ListOption<"layers", "layers", "std::string",
               "LAYER=FRACTION: of one layer, and those that share units with it">,
    ListOption<"scores", "scores", "std::string",
               "LAYER=S:S:..: importance of its units instead of norms">,
    Option<"absolute", "absolute", "bool", "false",
           "The scores of all layers are of one measure: they are compared as they are">,
    ListOption<"removed", "removed", "std::string",
               "LAYER=I:J:..: remove just these units; other options do not count">,
    Option<"mask", "mask", "bool", "false",
           "Set the units to zero instead, for comparison">];
  let statistics = [
    Statistic<"numLayers", "layers-pruned", "Number of layers with fewer units">,
    Statistic<"numUnits", "units-removed", "Number of units removed">];
}

def PruneWeightsPass : Pass<"vae-prune-weights", "::mlir::ModuleOp"> {
  let summary = "Sets the least important weights to zero";
  let description = [{
    Magnitude pruning (S. Han et al., Learning both weights and connections for
    efficient neural networks, 1506.02626). Shapes do not change; weights that
    are zero are stored in less space where that is worth it
    (vae-assign-sparsity). A pattern says which weights go:

    - `weights:F`: the fraction F of single weights, rounded down;
    - `N:M`: of every M consecutive inputs of an output and a tap, all but the N
      most important ones; the last M of a group may be fewer;
    - `blocks:F`: the fraction F of the blocks of 16 consecutive outputs of a
      group and one input of a tap, which kernels load together. The importance
      of a block is the L2 norm of that of its weights.

    Importance is |w|, or with `norms` |w| times the norm of the input that it
    multiplies (M. Sun et al., A simple and effective pruning approach for large
    language models, 2306.11695). It is compared within a layer, or with the scope
    `global` within the model.

    `pattern` is for all layers but the heads of the latent, depthwise
    convolutions and layers of few weights, inputs or outputs; `layers` names
    single layers, whatever they are. A weight that several entry points read
    loses the same elements in all of them.

    The module gets `vae.pruned_weights`, the pattern of each layer, and
    `vae.unpruned`, the layers that were left out, and why.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"pattern", "pattern", "std::string", "\"\"",
           "weights:F, N:M or blocks:F; empty: only of the layers that are named">,
    Option<"scope", "scope", "std::string", "\"layer\"",
           "Compare weights within a layer, or global: within the model">,
    ListOption<"layers", "layers", "std::string", "LAYER=PATTERN: of one layer">,
    ListOption<"norms", "norms", "std::string",
               "LAYER=S:S:..: of its input units, to multiply magnitudes with">];
  let statistics = [
    Statistic<"numLayers", "layers-pruned", "Number of layers with fewer weights">,
    Statistic<"numWeights", "weights-removed", "Number of weights that are set to zero">];
}

def SplitEntriesPass : Pass<"vae-split-entries", "::mlir::ModuleOp"> {
  let summary = "Adds the segments of entry points that can run in parts";
  let description = [{
    Parts of an image must overlap as far as the whole of an entry point looks:
    for a deep decoder, by many times what its last layers need. So an entry point
    that can run in parts (vae-find-halos) is cut where one tensor is all that
    later operations read, at each change of resolution, on the smaller side. For
    each two of these points, the begin and the end, the operations between them
    become a function with `vae.entry` and
    `vae.segment = {entry = "decode", place = array<i64: begin, end, points>}`,
    from which a run that has little memory chooses. What passes from a segment to
    the next keeps its layout. Segments share weights and kernels with the entry
    point; what they add is the code that launches these.

    No entry point is changed. It runs before vae-find-halos, which finds the
    halos of segments, too.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"mostPoints", "most-points", "int64_t", "4",
           "Most points inside an entry point, the ones with the smallest tensors; 0: no segments">];
  let statistics = [
    Statistic<"numSegments", "segments", "Number of segments">];
}

#endif
