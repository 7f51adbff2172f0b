// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_TRANSFORMS_PASSES_TD
#define VAE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

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

#endif
