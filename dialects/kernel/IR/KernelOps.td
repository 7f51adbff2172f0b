// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KERNEL_OPS_TD
#define KERNEL_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::vae::kernel";
  let summary = "A graph of parallel loops over buffers";
  let description = [{
    What is left of an entry point once every layer has its code: a sequence of
    launches of kernels. A kernel is a function over flat buffers, run-time
    sizes and a range of work items; `@k.count` tells how many items there are.
    Values are still tensors here; the memory plan gives each a place
    (`kernel.plan` on the function, `slot` on the operations).
  }];
}

def Kernel_LaunchOp : Op<Kernel_Dialect, "launch", [Pure, AttrSizedOperandSegments]> {
  let summary = "Runs a kernel over all its work items";
  let description = [{
    `callee` takes one flat memref an operand, then one for the result, then the
    sizes, then the first and the last work item. `sizes` maps the dynamic
    dimensions of the model (batch; others in units of their multiple) to the
    sizes. With `init`, the result is the buffer of `init` with some elements
    overwritten, and `init` has no later use. A thread is not woken for less
    than `grain` items. `cost` maps the dynamic dimensions to the floating-point
    operations of the launch, of which an entry point's launches have
    `kernel.flops` together, and to the bytes that it reads and writes, each
    element of a buffer counted once.
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyRankedTensor>:$inputs,
                       Optional<AnyRankedTensor>:$init, AffineMapAttr:$sizes,
                       AffineMapAttr:$elements, AffineMapAttr:$cost, I64Attr:$grain,
                       OptionalAttr<I64Attr>:$slot);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $callee `(` $inputs `)` (`init` `(` $init^ `)`)? `sizes` $sizes `elements` $elements
    `cost` $cost attr-dict `:` functional-type(operands, $result)
  }];
}

def Kernel_AliasOp : Op<Kernel_Dialect, "alias", [Pure]> {
  let summary = "The same bytes under another type";
  let arguments = (ins AnyRankedTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
}

#endif
