// RUN: echo 'module {}' | not vae-opt --vae-assign-storage=storage=f8 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: unknown storage 'f8'
// RUN: vae-opt %s --split-input-file --verify-diagnostics

func.func @nothing() {
  return
}

// -----

func.func @other(%x: tensor<?x6xf32>, %w: tensor<8x6xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'vae.storage' is "f16", found "f16-weights"}}
  %0 = vae.dense %x, %w {vae.storage = "f16-weights"} : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @no_layer(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // expected-error @below {{'vae.storage' belongs to a layer with weights or a module}}
  %0 = vae.activation %x <tanh> {vae.storage = "f16"} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}

// -----

// expected-error @below {{'vae.storage' is "f16" or "f16-weights", found "f32"}}
module attributes {vae.storage = "f32"} {}
