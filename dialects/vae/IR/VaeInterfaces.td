// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_INTERFACES_TD
#define VAE_INTERFACES_TD

include "mlir/IR/OpBase.td"

def SymbolicShapeOpInterface : OpInterface<"SymbolicShapeOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    Shapes as expressions of the model's dynamic dimensions. One definition per
    operation serves type inference, the memory plan and the report.
  }];
  let methods = [
    InterfaceMethod<"Shapes of the results from shapes of the operands.",
      "::llvm::LogicalResult", "inferSymbolicDims",
      (ins "::llvm::ArrayRef<::vae::Dims>":$operands,
           "::llvm::SmallVectorImpl<::vae::Dims> &":$results)>,
    InterfaceMethod<"Floating-point operations of one execution; a multiplication and an addition count as two.",
      "::mlir::AffineExpr", "getFlops",
      (ins "::llvm::ArrayRef<::vae::Dims>":$operands,
           "::llvm::ArrayRef<::vae::Dims>":$results)>];
}

def LocalOpInterface : OpInterface<"LocalOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    An operation whose result at a pixel may depend on a bounded number of pixels
    around it. An operation without this interface depends on the whole image.
  }];
  let methods = [
    InterfaceMethod<[{
      What the results are when the operands are of a tile of the image (AxisReach
      of VaeReach.h). Failure: a result depends on more than the tile.
    }], "::llvm::LogicalResult", "inferReach",
      (ins "::llvm::ArrayRef<::vae::Reach>":$operands,
           "::llvm::SmallVectorImpl<::vae::Reach> &":$results)>];
}

def PrunableOpInterface : OpInterface<"PrunableOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    A layer whose output units (neurons, channels) can be removed. All weights
    lie in one operand with an axis of output units and an axis of input units.
  }];
  let methods = [
    InterfaceMethod<"The operand whose units are the input units.", "::mlir::OpOperand &", "getDataOperand">,
    InterfaceMethod<"Index of the weight operand.", "unsigned", "getWeightIndex">,
    InterfaceMethod<"Axis of the weight that runs over output units of a group.", "int64_t", "getOutputUnitAxis">,
    InterfaceMethod<"Axis of the weight that runs over input units of a group.", "int64_t", "getInputUnitAxis">,
    InterfaceMethod<"Number of groups.", "int64_t", "getUnitGroups">,
    InterfaceMethod<"Axis of the data and of the result that runs over all units.", "int64_t", "getUnitAxis">,
    InterfaceMethod<[{
      Whether a constant added to an input unit adds one constant to every
      element of an output unit. Not so where some elements see fewer weights
      than others: beside zero padding, and in a transposed convolution.
    }], "bool", "hasUniformWindows">,
    InterfaceMethod<"The bias, one value an output unit; may be null.", "::mlir::Value", "getBiasValue">,
    InterfaceMethod<"Sets the bias.", "void", "setBiasValue", (ins "::mlir::Value":$bias)>];
}

def UnitCarrierOpInterface : OpInterface<"UnitCarrierOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    An operation that says to which units (neurons, channels) the elements of its
    operands and results belong, so that units can be removed (UnitFlow of
    VaeUnits.h). Operands of an operation without this interface keep all of
    theirs.
  }];
  let methods = [
    InterfaceMethod<[{
      Reads the units of the operands, unites those that can only be removed
      together, fixes those that cannot be removed, and says which units the
      elements of results and constants are.
    }], "void", "carryUnits", (ins "::vae::UnitFlow &":$flow)>,
    InterfaceMethod<[{
      Changes attributes as units are removed. Called before the types of
      operands and results and the constants change.
    }], "void", "dropUnits", (ins "const ::vae::UnitFlow &":$flow),
      /*methodBody=*/"", /*defaultImplementation=*/"(void)flow;">];
}

def QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    An operation that has an integer form: its weight may be quantized per
    channel along an axis, its data per tensor, all of them or none.
  }];
  let methods = [
    InterfaceMethod<"How many operands are data: the first ones.", "unsigned", "getNumData">,
    InterfaceMethod<"Axis of the weight with one scale each; -1: no weight.", "int64_t", "getPerChannelAxis">];
}

def ConstantAffineOpInterface : OpInterface<"ConstantAffineOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    An operation with one operand that varies, which may be
    y = x * scale[c] + offset[c], c being the index on axis 1 and scale and
    offset known at compile time.
  }];
  let methods = [
    InterfaceMethod<[{
      Gives one scale and one offset a channel; false if this operation is no
      such function or its parameters are not known.
    }], "bool", "getConstantAffine",
      (ins "::llvm::SmallVectorImpl<double> &":$scale,
           "::llvm::SmallVectorImpl<double> &":$offset)>];
}

def EpilogueOpInterface : OpInterface<"EpilogueOpInterface"> {
  let cppNamespace = "::vae";
  let description = [{
    An operation that can finish its result before storing it:
    y = activation(op(x) + bias + residual).
  }];
  let methods = [
    InterfaceMethod<"The fused activation; may be null.", "::vae::ActivationAttr", "getEpilogueActivation">,
    InterfaceMethod<"Sets the fused activation.", "void", "setEpilogueActivation", (ins "::vae::ActivationAttr":$activation)>,
    InterfaceMethod<"The fused residual; may be null.", "::mlir::Value", "getEpilogueResidual">,
    InterfaceMethod<"Sets the fused residual.", "void", "setEpilogueResidual", (ins "::mlir::Value":$residual)>];
}

def FusableIntoOpInterface : OpInterface<"FusableIntoOpInterface"> {
  let cppNamespace = "::vae";
  let description = "An operation that can become part of the epilogue of the operation before it.";
  let methods = [
    InterfaceMethod<"Which part of the epilogue it becomes.", "::vae::EpiloguePart", "getEpiloguePart">,
    InterfaceMethod<[{
      Whether this operation can be fused into `producer`, one of whose results
      is one of its operands and has no other use.
    }], "bool", "canFuseInto", (ins "::vae::EpilogueOpInterface":$producer)>,
    InterfaceMethod<[{
      Makes `producer` compute the result of this operation; the caller replaces
      the uses.
    }], "void", "fuseInto", (ins "::vae::EpilogueOpInterface":$producer)>];
}

#endif
