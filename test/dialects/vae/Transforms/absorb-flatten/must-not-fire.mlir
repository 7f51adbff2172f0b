// RUN: vae-opt %s --vae-absorb-flatten --split-input-file | FileCheck %s --implicit-check-not=vae.transpose

// An image that enters the model lies as the caller has it.
// CHECK-LABEL: func @argument
func.func @argument(%x: tensor<?x2x2x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<1.0> : tensor<1x4xf32>
  %f = vae.reshape %x {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// So does one that leaves it.
// CHECK-LABEL: func @result
func.func @result(%x: tensor<?x1xf32>) -> tensor<?x2x2x1xf32> {
  %w = vae.constant dense<1.0> : tensor<4x1xf32>
  %d = vae.dense %x, %w : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
  %y = vae.reshape %d {shape = array<i64: 2, 2, 1>} : (tensor<?x4xf32>) -> tensor<?x2x2x1xf32>
  return %y : tensor<?x2x2x1xf32>
}

// -----

// One channel, or one pixel: both orders are the same.
// CHECK-LABEL: func @same_order
func.func @same_order(%x: tensor<?x1x2x2xf32>, %p: tensor<?x4x1x1xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = vae.constant dense<1.0> : tensor<1x4xf32>
  %h = vae.activation %x <relu> : (tensor<?x1x2x2xf32>) -> tensor<?x1x2x2xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x1x2x2xf32>) -> tensor<?x4xf32>
  %i = vae.activation %p <relu> : (tensor<?x4x1x1xf32>) -> tensor<?x4x1x1xf32>
  %g = vae.reshape %i {shape = array<i64: -1>} : (tensor<?x4x1x1xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  %z = vae.dense %g, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y, %z : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// The vector is an output too.
// CHECK-LABEL: func @other_use
func.func @other_use(%x: tensor<?x2x2x1xf32>) -> (tensor<?x4xf32>, tensor<?x1xf32>) {
  %w = vae.constant dense<1.0> : tensor<1x4xf32>
  %h = vae.activation %x <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %f, %y : tensor<?x4xf32>, tensor<?x1xf32>
}

// -----

// The vector is the residual as well, in the order of the units.
// CHECK-LABEL: func @residual
func.func @residual(%x: tensor<?x2x2x1xf32>) -> tensor<?x4xf32> {
  %w = vae.constant dense<1.0> : tensor<4x4xf32>
  %h = vae.activation %x <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w residual(%f) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @unknown_weight
func.func @unknown_weight(%x: tensor<?x2x2x1xf32>, %w: tensor<1x4xf32>) -> tensor<?x1xf32> {
  %h = vae.activation %x <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
