// RUN: echo 'module {}' | not vae-opt --vae-assign-precision=precision=f8 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: unknown precision 'f8'
// RUN: vae-opt %s --split-input-file --verify-diagnostics

func.func @nothing() {
  return
}

// -----

func.func @other(%x: tensor<?x6xf32>, %w: tensor<8x6xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'vae.precision' is "bf16" or "bfp16", found "f16"}}
  %0 = vae.dense %x, %w {vae.precision = "f16"} : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @no_layer(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // expected-error @below {{'vae.precision' belongs to a layer with weights or a module}}
  %0 = vae.activation %x <tanh> {vae.precision = "bf16"} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}
