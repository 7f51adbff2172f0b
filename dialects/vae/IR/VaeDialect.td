// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_DIALECT_TD
#define VAE_DIALECT_TD

include "mlir/IR/DialectBase.td"

def Vae_Dialect : Dialect {
  let name = "vae";
  let cppNamespace = "::vae";
  let summary = "Inference graphs of variational autoencoders";
  let description = [{
    Functions over ranked tensors whose first dimension is the batch. Spatial
    operations are NCHW. Every operation is pure, carries the name of its layer
    as location, and infers the shape of its results from its operands and
    attributes; dimensions may be dynamic.

    Notation in the descriptions: N batch, C channels, H and W height and width,
    O output channels, G groups, `[..]` a shape. Constraints are numbered; the
    verifier cites the number it found broken. Weights, biases, statistics and
    other parameters have static shapes.

    Constraints of all operations but `constant`: (G1) operands are ranked
    tensors of rank >= 1. (G2) static dimensions are positive, a tensor has at
    most 2^40 elements, numbers that describe windows are at most 2^20. (G3) the
    results have the element type of the first operand and the inferred shapes;
    their encoding is free, and either side may know a dimension that the other
    does not. Of f32 and f16, any operand and result may be either. (G4) tensors
    are quantized only where the text below allows it.

    A tensor of f16 is one of f32 that lies in memory as f16: operations compute
    in f32, and round a result to the nearest f16. A finite number stays finite,
    +-65504 at most.

    A tensor of `!quant.uniform<u8:f32, s:z>` holds integers q from 0 to 255 that
    stand for (q - z) * s; z stands for 0 exactly. vae.convert_layout makes it of
    f32, and f32 of it. Of all other operations, these may have quantized tensors:
    those that only move numbers, max pooling and nearest upsampling, with one
    quantized type for operand and result (padding with 0 pads with z);
    vae.attention, which says what it makes of them; and layers with weights. A layer with quantized data multiplies integers. Its weights w
    are, by its attribute `vae.weight_type`, `!quant.uniform<i8<-127:127>:f32:a,
    {t, ..}>` with a scale for each output unit on axis a, the integers
    v = rint(w / t) in -127..127, and

        y = act(fma(sum_k (q_k - z) * v_k, s * t, bias) + residual)

    where the sum is exact, in i32; it and s * t are rounded to f32, and all that
    follows is computed in f32, with one rounding of the fma. A quantized residual
    becomes f32 first, a quantized result is rint(y / s) + z in 0..255, computed as
    f32 product of y and 1 / s, ties to even, NaN becoming the lowest. So equal
    integers give equal integers on every machine. That no sum can overflow is
    proved before a layer gets quantized data. A layer with `vae.weight_type` and
    data of f32 multiplies v * t in f32. There the weights may be
    `!quant.uniform<i4<-7:7>:f32:{a:1, c:G, ..:1}, {{t, ..}, ..}>`, too, with a
    scale for each block of G inputs of an output unit and a tap: blocks of G on
    the axis c of inputs, the last one smaller where G does not divide them, and
    of 1 on all others. `vae.quantize_note` says why a layer has data of f32
    although it should have integers.

    Canonicalization removes what computes nothing (dropout, movements that move
    nothing), makes one movement of two (reshapes, transposes, layouts), a reshape
    of a transpose of unit dimensions, and slices of a split; it moves elementwise
    operations before reshapes, transposes and nearest upsampling, and zero
    padding into convolutions. It changes no value of a result.

    The discardable attribute `vae.precision` on a layer with weights says in
    which numbers it multiplies, and stores its weights, if that is not f32:
    "bf16". Sums and results are f32. On the module it says that some layer has it;
    or "int8", that some layer multiplies integers.
    `vae.storage` on such a layer says in which numbers its weights are stored, if
    not in those that it multiplies: "f16". `vae.storage_note` says why its weights
    are not stored so although they should. On the module `vae.storage` says what
    is stored so, a name of Storage.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// The files of the weights of this context.
    MappedFiles &getMappedFiles() { return mappedFiles; }

  private:
    MappedFiles mappedFiles;

  public:
  }];
}

#endif
