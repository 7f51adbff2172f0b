// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CONVERSION_PASSES_TD
#define CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignLayoutPass : Pass<"vae-assign-layout", "::mlir::func::FuncOp"> {
  let summary = "Chooses how every tensor lies in memory";
  let description = [{
    Gives 4-D tensors the channels-last layout and converts where an operation
    or the outside needs row-major NCHW: arguments, results, reshape, transpose
    and layer norm. A transpose between NCHW and NHWC keeps the bytes: the one
    side lies channels last, the other row-major.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let statistics = [
    Statistic<"numConversions", "conversions", "Number of layout conversions">];
}

/// What decides about algorithms (AlgorithmRules).
defvar AlgorithmOptions = [
  Option<"fast", "fast", "bool", "false", "Consider algorithms other than direct">,
  ListOption<"algorithms", "algorithms", "std::string", "[LAYER=]ALGORITHM">,
  ListOption<"tuned", "tuned", "std::string", "SHAPE=ALGORITHM">,
  Option<"vectorWidth", "vector-width", "int64_t", "8", "f32 lanes of a vector">,
  Option<"vectorRegisters", "vector-registers", "int64_t", "16",
         "Number of vector registers">,
  Option<"blockFloat", "block-float", "bool", "false",
         "Winograd's products will be those of 16-bit block floating point">,
  Option<"wordDots", "word-dots", "bool", "false",
         "Bytes are multiplied by pmaddwd; with block-float, they are">,
  Option<"vnni", "vnni", "bool", "false", "By VNNI">,
  Option<"byteDots", "byte-dots", "bool", "false",
         "Bytes are multiplied by AArch64's dot product">,
  Option<"amxInt8", "amx-int8", "bool", "false", "Bytes are multiplied by AMX">,
  Option<"amxBf16", "amx-bf16", "bool", "false", "And bf16">,
  Option<"bf16", "bf16", "bool", "false",
         "Products of direct sums will be those of bf16">,
  Option<"stores", "stores", "bool", "true",
         "Whether transformed weights may be stored unasked">];

/// What single layers are to be (LayerKinds.h).
defvar LayersOption =
  ListOption<"layers", "layers", "std::string",
             "[LAYER=]KIND: none, f32, mixed, bf16, int8, w8 or w4">;

def QuantizePass : Pass<"vae-quantize", "::mlir::ModuleOp"> {
  let summary = "Makes layers multiply integers of 8 bits";
  let description = [{
    With `quantize=int8`, layers get data of 8-bit integers and `vae.weight_type`
    (the dialect says what they mean): dense layers, convolutions and transposed
    ones, the first and the last layers of entry points among them; and the
    products of attention, which has no weights. Not

    1. layers whose weights are not known or not finite;
    2. layers of whose data no range is known;
    3. the heads of the latent: those whose results are, or become without
       another layer, mu, logvar or a code;
    4. layers that would not be faster by the model of the machine, most of them
       convolutions that vae-choose-algorithm computes by Winograd's algorithm;
    5. layers whose sums could overflow 32 bits with the worst data;
    6. attention with a negative scale.

    They get `vae.quantize_note`, which says why. A weight that several entry
    points read is of one kind in all of them. `layers` decides instead about
    3 and 4, for one layer or all: `int8`, or any other kind.

    `ranges` has the ranges of tensors by their names in a table (TensorNames.h),
    `%XX` standing for the character of that hexadecimal code. A tensor is
    quantized where it is computed and not behind what moves it: where all that
    read it are layers that multiply integers, or take it as their residual, the
    layer that gives it gives integers; elsewhere `vae.convert_layout` makes
    them, once.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = !listconcat([
    Option<"quantize", "quantize", "std::string", "\"none\"",
           "Integers that layers multiply: none or int8">,
    ListOption<"ranges", "ranges", "std::string", "NAME:LOW:HIGH">,
    LayersOption,
    Option<"exactEnds", "exact-ends", "bool", "true",
           "Keep the heads of the latent f32">], AlgorithmOptions);
  let statistics = [
    Statistic<"numLayers", "layers", "Number of layers that multiply integers">,
    Statistic<"numTensors", "tensors", "Number of tensors that are quantized">,
    Statistic<"numConversions", "conversions", "Number of tensors that are made integers by an operation">];
}

def ChooseAlgorithmPass : Pass<"vae-choose-algorithm", "::mlir::func::FuncOp"> {
  let summary = "Chooses how each convolution is computed";
  let description = [{
    Gives a convolution, or the phases of a transposed one, the attribute
    `vae.algorithm` where Winograd's algorithm costs less than summing directly,
    by a model of the machine; "winograd4-stored" says that its weights are
    transformed at compile time. The choice depends on channels, window and, where
    the model fixes them, sizes; never on the part of an image or the thread.
    `algorithms` decides instead for some layers, or all: "winograd4",
    "layer=direct"; what cannot be computed so stays direct. With `block-float`,
    products cost less, and tiles of 6x6, whose numbers differ too much in size
    for 16 bits, are not considered. `tuned` decides instead of the model for
    convolutions of the shapes that it lists (the columns of a tuning table,
    joined by colons), unless `fast` is off.
  }];
  let options = AlgorithmOptions;
  let statistics = [
    Statistic<"numWinograd", "winograd", "Number of convolutions by Winograd's algorithm">];
}

def AssignPrecisionPass : Pass<"vae-assign-precision", "::mlir::ModuleOp"> {
  let summary = "Chooses the numbers that each layer multiplies";
  let description = [{
    With `bf16`, layers get `vae.precision = "bf16"`. Not

    1. the first and the last ones: those between which and an argument or a
       result of an entry point there is no other layer. They are few operations
       of an image model, and what they lose nothing can restore. Dense layers of
       2^15 or more weights are no such: there, the end of a model is most of it;
    2. the heads of the latent: those whose results are, or become without
       another layer, mu, logvar or a code;
    3. layers with one input or fewer than four outputs in a group, which have
       kernels without a form in bf16;
    4. convolutions by Winograd's algorithm, which is faster in f32 than sums of
       bf16.

    With `bfp16`, 16-bit block floating point, convolutions by Winograd's
    algorithm get `vae.precision = "bfp16"`, and of one tap, and dense layers,
    those of many channels at many positions; but not the first, the last and
    the heads of the latent. Other layers have no such form.

    A weight that several entry points read has one precision in all of them. `layers`
    decides instead for one layer or all: `f32`, `bf16`, or `mixed`, which is bfp16,
    at the ends and the heads, too, where there is such a form.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"precision", "precision", "std::string", "\"f32\"",
           "Numbers that layers multiply: f32, bf16 or bfp16">,
    Option<"exactEnds", "exact-ends", "bool", "true",
           "Keep the first and last layers and the heads of the latent f32">,
    Option<"wordDots", "word-dots", "bool", "true",
           "Whether some machine multiplies pairs of 16-bit integers">,
    LayersOption];
  let statistics = [
    Statistic<"numLayers", "layers", "Number of layers of less than f32">];
}

def AssignWeightsPass : Pass<"vae-assign-weights", "::mlir::ModuleOp"> {
  let summary = "Chooses the integers that weights are stored as";
  let description = [{
    With `int8`, layers get `vae.weight_type` with one scale an output unit; with
    `int4`, one for each block of `group` inputs of an output unit and tap, or of
    all inputs if they are fewer. They go on multiplying f32. Not

    1. the first and the last ones and the heads of the latent, as
       vae-assign-precision has it;
    2. layers of fewer than four outputs in a group, which have kernels without
       such a form, depthwise ones among them, and of fewer than 2^10 weights;
    3. layers with a weight that is not finite, and those whose weights are
       stored transformed. They get `vae.storage_note`, which says so.

    With `int4`, blocks of fewer than 8 inputs, and such of a transposed
    convolution as do not divide the inputs of a group, make the layer int8, with
    a note. A weight that several entry points read is stored alike in all of
    them. `layers` decides instead about 1 and few weights, for one layer or all: `w8`,
    `w4`, or any other kind for weights that stay f32.
  }];
  let dependentDialects = ["::vae::VaeDialect", "::mlir::quant::QuantDialect"];
  let options = [
    Option<"weights", "weights", "std::string", "\"f32\"",
           "Numbers that weights are stored as: f32, int8 or int4">,
    Option<"group", "group", "int64_t", "32", "Inputs of a block of int4">,
    Option<"exactEnds", "exact-ends", "bool", "true",
           "Keep the first and last layers, the heads of the latent and layers of "
           "few weights f32">,
    LayersOption];
  let statistics = [
    Statistic<"numLayers", "layers", "Number of layers with integer weights">];
}

def AssignStoragePass : Pass<"vae-assign-storage", "::mlir::ModuleOp"> {
  let summary = "Chooses what lies in memory as f16";
  let description = [{
    With `f16-weights`, layers that do not multiply bf16 get `vae.storage =
    "f16"`: their weights are stored as f16. Not those with a weight that is no f16 number even
    when it is rounded, or with an output whose weights would lose more than those
    do that are normal in f16: 2^-11 of them, in the L2 norm. They get
    `vae.storage_note`, which says why.

    With `f16`, tensors between layers become f16, too. Not

    1. arguments and results of entry points;
    2. what an operation reads or gives whose kernel has no form in f16:
       attention, softmax, codebooks, sampling, KL and log-likelihood;
    3. what only moves, or is read as it moves, to or from one of these.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = [
    Option<"storage", "storage", "std::string", "\"f32\"",
           "What lies in memory as f16: f32 (nothing), f16-weights or f16">,
    Option<"ends", "ends", "bool", "false",
           "Round arguments and results, too; for tests">];
  let statistics = [
    Statistic<"numLayers", "layers", "Number of layers with weights of f16">,
    Statistic<"numTensors", "tensors", "Number of tensors of f16">];
}

def AssignSparsityPass : Pass<"vae-assign-sparsity", "::mlir::ModuleOp"> {
  let summary = "Chooses layers whose weights are stored without zeros";
  let description = [{
    Layers of f32 many of whose weights are zero get `vae.sparsity`:

    - `rows`, if whole rows are zero, those of 16 consecutive outputs of a group
      and one input of a tap: the others are stored, and multiplied, only. Not
      convolutions by Winograd's algorithm; one becomes direct if `algorithms` and
      `tuned` do not decide for it and the rows that are left cost less;
    - `bitmap` for others: a bit for each weight, and the values that are not
      zero. A dense layer makes vectors of them as it multiplies, for few
      examples; for many, and in convolutions, they are expanded to memory when
      the layer runs.

    Only what takes at most 90% of the bytes of all weights. With `size`, a bitmap
    wherever that is so; with `speed`, only where the layer is no slower with it: a
    dense layer with weights of 16 MiB or more, which no cache holds, or a
    convolution beside which expanding costs little, by the model of the machine;
    with `none`, nothing. Not layers
    that multiply other numbers than f32 or store weights as others, nor those
    with a weight that is not finite, nor weights that are stored transformed.
    Layers that stay as they are although a tenth of their weights is zero get
    `vae.sparsity_note`, which says why. A weight that several entry points read
    is stored alike in all of them.
  }];
  let dependentDialects = ["::vae::VaeDialect"];
  let options = !listconcat([
    Option<"sparse", "sparse", "std::string", "\"size\"",
           "Which layers: size, speed or none">], AlgorithmOptions);
  let statistics = [
    Statistic<"numRows", "rows", "Number of layers without rows that are zero">,
    Statistic<"numBitmaps", "bitmaps", "Number of layers with a bitmap">];
}

def ConvertVaeToKernelPass : Pass<"convert-vae-to-kernel", "::mlir::ModuleOp"> {
  let summary = "Emits a kernel for every layer and launches it";
  let description = [{
    One kernel per distinct operation, channels and attributes; weights are
    packed for their kernel. Entry points become sequences of kernel.launch. An
    entry point of a version (vae-add-versions) gets kernels of its own, for the
    machine that the module names; the packed weights serve all versions.
  }];
  let dependentDialects = [
    "::vae::kernel::KernelDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::mlir::memref::MemRefDialect", "::mlir::math::MathDialect",
    "::mlir::LLVM::LLVMDialect"];
  let options = [
    Option<"vectorWidth", "vector-width", "int64_t", "8", "f32 lanes of a vector">,
    Option<"vectorRegisters", "vector-registers", "int64_t", "16",
           "Number of vector registers">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768", "Size of a core's L1 cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "1048576", "Size of a core's L2 cache">,
    Option<"streamBytes", "stream-bytes", "int64_t", "0",
           "Results of so many bytes and more are written past the caches, by "
           "instructions of x86; 0: none">,
    Option<"bf16Dot", "bf16-dot", "bool", "false",
           "Multiply by AVX512-BF16; for vectors of 16 lanes">,
    Option<"wordDots", "word-dots", "bool", "false",
           "Multiply pairs of 16-bit integers by pmaddwd">,
    Option<"vnni", "vnni", "bool", "false",
           "The same by VNNI, which multiplies fours of bytes, too">,
    Option<"byteDots", "byte-dots", "bool", "false",
           "Multiply fours of bytes by AArch64's dot product">,
    Option<"amxInt8", "amx-int8", "bool", "false",
           "Multiply bytes by AMX; for vectors of 16 lanes">,
    Option<"amxBf16", "amx-bf16", "bool", "false",
           "Multiply bf16 by AMX; beside AVX512-BF16">,
    Option<"tileRows", "tile-rows", "int64_t", "0",
           "Output positions of contractions' tiles; 0: chosen">,
    Option<"tileVectors", "tile-vectors", "int64_t", "0",
           "Vectors of channels of contractions' tiles; 0: chosen">,
    Option<"deterministic", "deterministic", "bool", "false",
           "The same bits for any batch">,
    Option<"releaseWeights", "release-weights", "bool", "false",
           "Free the data of a weight once it is packed: no other module of the "
           "context may need it">];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels">,
    Statistic<"numLaunches", "launches", "Number of launches">];
}

def PlanMemoryPass : Pass<"kernel-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Gives every intermediate tensor a place in one arena";
  let description = [{
    Lifetimes are intervals of launches. Tensors that live at the same time are
    ordered by a best-fit placement for reference sizes; an offset is then the
    maximum over the tensors below of their end. The plan is therefore right for
    all sizes and tight where sizes grow in proportion, as with the batch.
  }];
  let dependentDialects = ["::vae::kernel::KernelDialect"];
  let statistics = [
    Statistic<"numSlots", "slots", "Number of tensors in arenas">];
}

def ConvertKernelToLLVMPass : Pass<"convert-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Turns entry points into functions of the C ABI";
  let description = [{
    Each entry point becomes a function over vae_abi_call, and functions that
    give its arena size, its operation count, and the cost of every launch.
    Kernels get a wrapper for
    parallel_for. Weights are laid out; only their offsets enter the code.
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect"];
}

def AddVersionsPass : Pass<"vae-add-versions", "::mlir::ModuleOp"> {
  let summary = "Copies entry points for each CPU that a library has code for";
  let description = [{
    Where the module lists several versions of its code (`vae.versions`, which
    vaec sets for several CPUs), every entry point becomes one for each of them,
    `name.version`, with the version's name as attribute `vae.version`. The copies
    read the same weights. Without the list, nothing changes.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numCopies", "copies", "Number of entry points made of others">];
}

#endif
