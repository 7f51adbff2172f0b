// RUN: vae-opt %s --vae-fold-batch-norm --split-input-file | FileCheck %s

// CHECK-LABEL: func @several_uses
// CHECK: %[[H:.*]] = vae.dense
// CHECK: vae.channel_affine %[[H]]
func.func @several_uses(%x: tensor<?x1xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %h, %y : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @several_uses_of_the_reshape
// CHECK: vae.reshape
// CHECK-NEXT: vae.channel_affine
func.func @several_uses_of_the_reshape(%x: tensor<?x1xf32>) -> (tensor<?x1x1xf32>, tensor<?x1x1xf32>) {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %r = vae.reshape %h {shape = array<i64: 1, 1>} : (tensor<?x1xf32>) -> tensor<?x1x1xf32>
  %y = vae.channel_affine %r, %c, %c : (tensor<?x1x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1x1xf32>
  return %r, %y : tensor<?x1x1xf32>, tensor<?x1x1xf32>
}

// -----

// CHECK-LABEL: func @activation_between
// CHECK: vae.dense %arg0, %{{.*}} {activation = #vae.act<relu>}
// CHECK-NEXT: vae.channel_affine
func.func @activation_between(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w {activation = #vae.act<relu>} : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @residual_between
// CHECK: vae.dense %arg0, %{{.*}} residual(%arg0)
// CHECK-NEXT: vae.channel_affine
func.func @residual_between(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w residual(%x) : (tensor<?x1xf32>, tensor<1x1xf32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @unknown_weight
// CHECK: vae.dense %arg0, %arg1
// CHECK-NEXT: vae.channel_affine
func.func @unknown_weight(%x: tensor<?x1xf32>, %w: tensor<1x1xf32>) -> tensor<?x1xf32> {
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @unknown_bias
// CHECK: vae.dense %arg0, %{{.*}} bias(%arg1)
// CHECK-NEXT: vae.channel_affine
func.func @unknown_bias(%x: tensor<?x1xf32>, %b: tensor<1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w bias(%b) : (tensor<?x1xf32>, tensor<1x1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @unknown_statistics
// CHECK: vae.dense
// CHECK-NEXT: vae.batch_norm %{{.*}}, %arg1, %arg1
func.func @unknown_statistics(%x: tensor<?x1xf32>, %s: tensor<1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %y = vae.batch_norm %h, %s, %s {epsilon = 1.0e-5 : f64} : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Axis 1, the channels of the norm, is not the axis of the units.
// CHECK-LABEL: func @units_on_another_axis
// CHECK: vae.dense
// CHECK-NEXT: vae.channel_affine
// CHECK-NEXT: vae.dense
func.func @units_on_another_axis(%x: tensor<?x2x2xf32>) -> tensor<?x2x2xf32> {
  %w = vae.constant dense<3.0> : tensor<2x2xf32>
  %c = vae.constant dense<2.0> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2x2xf32>, tensor<2x2xf32>) -> tensor<?x2x2xf32>
  %n = vae.channel_affine %h, %c, %c : (tensor<?x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x2xf32>
  %y = vae.dense %n, %w : (tensor<?x2x2xf32>, tensor<2x2xf32>) -> tensor<?x2x2xf32>
  return %y : tensor<?x2x2xf32>
}

// -----

// A unit of the convolution has elements in two channels of the norm.
// CHECK-LABEL: func @unit_in_two_channels
// CHECK: vae.conv2d
// CHECK-NEXT: vae.reshape
// CHECK-NEXT: vae.channel_affine
func.func @unit_in_two_channels(%x: tensor<?x1x1x2xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1x1x1xf32>
  %c = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %h = vae.conv2d %x, %w : (tensor<?x1x1x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x1x2xf32>
  %r = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x1x1x2xf32>) -> tensor<?x2xf32>
  %y = vae.channel_affine %r, %c, %c : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// What is shifted inside is not shifted beside it.
// CHECK-LABEL: func @shift_before_padding
// CHECK: vae.channel_affine
// CHECK-NEXT: vae.conv2d
func.func @shift_before_padding(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x4x4xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1x1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.channel_affine %x, %c, %c : (tensor<?x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1x2x2xf32>
  %y = vae.conv2d %h, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x4x4xf32>
  return %y : tensor<?x1x4x4xf32>
}

// -----

// Elements of the result see different weights.
// CHECK-LABEL: func @shift_before_transposed
// CHECK: vae.channel_affine
// CHECK-NEXT: vae.conv_transpose2d
func.func @shift_before_transposed(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x3x3xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1x2x2xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.channel_affine %x, %c, %c : (tensor<?x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1x2x2xf32>
  %y = vae.conv_transpose2d %h, %w : (tensor<?x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<?x1x3x3xf32>
  return %y : tensor<?x1x3x3xf32>
}

// -----

// The layer takes it as residual, not as data.
// CHECK-LABEL: func @residual_of_next
// CHECK: vae.channel_affine
// CHECK-NEXT: vae.dense
func.func @residual_of_next(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.channel_affine %x, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %y = vae.dense %x, %w residual(%h) : (tensor<?x1xf32>, tensor<1x1xf32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// The product is no finite f32.
// CHECK-LABEL: func @overflow
// CHECK: vae.dense
// CHECK-NEXT: vae.channel_affine
func.func @overflow(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<1.0e30> : tensor<1x1xf32>
  %c = vae.constant dense<1.0e30> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// 1 / sqrt(0).
// CHECK-LABEL: func @no_variance
// CHECK: vae.batch_norm
func.func @no_variance(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %zero = vae.constant dense<0.0> : tensor<1xf32>
  %y = vae.batch_norm %x, %zero, %zero {epsilon = 0.0 : f64} : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Another layer shares the weight, which stays as it was for it.
// CHECK-LABEL: func @shared_weight
// CHECK-DAG: %[[OLD:.*]] = vae.constant dense<3.000000e+00> : tensor<1x1xf32>
// CHECK-DAG: %[[NEW:.*]] = vae.constant dense<6.000000e+00> : tensor<1x1xf32>
// CHECK: vae.dense %arg0, %[[NEW]] bias
// CHECK: vae.dense %{{.*}}, %[[OLD]] :
func.func @shared_weight(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %n = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %y = vae.dense %n, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
