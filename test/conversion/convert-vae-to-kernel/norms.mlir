// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// Moments, then parameters, then the result: over what it normalizes, as nobody
// else reads it, with the activation.
// CHECK-LABEL: func.func @in_place
// CHECK: %[[X:.*]] = kernel.launch @tanh
// CHECK: %[[M:.*]] = kernel.launch @moments_c4(%[[X]])
// CHECK: %[[P:.*]] = kernel.launch @group_parameters_c4_g2_{{.*}}(%[[M]])
// CHECK: kernel.launch @normalize_c4_silu(%[[X]], %[[P]]) init(%[[X]])
func.func @in_place(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.group_norm %0 {activation = #vae.act<silu>, epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %2 = vae.activation %1 <tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %2 : tensor<?x4x8x8xf32>
}

// -----

// A convolution finds the border that it wants around the result; x gets it, to
// be normalized in place.
// CHECK-LABEL: func.func @border(
// CHECK: %[[B:.*]] = kernel.launch @border_0
// CHECK-NEXT: %[[X:.*]] = kernel.launch @copy_strided_4(%arg0) init(%[[B]])
// CHECK: %[[Y:.*]] = kernel.launch @normalize_c4(%[[X]], %{{.*}}) init(%[[X]])
// CHECK-NOT: kernel.launch @copy
// CHECK: kernel.launch @conv_i4_o4_k3x3_s1x1_d1x1_p(%[[Y]]
func.func @border(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.group_norm %x {epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// -----

// A pointwise convolution reads beside the border what a norm overwrites after
// it.
// CHECK-LABEL: func.func @shortcut(
// CHECK: %[[X:.*]] = kernel.launch @conv_i4_o4_k3x3_s1x1_d1x1_p(%{{.*}}) init(%{{.*}})
// CHECK: kernel.launch @conv_i4_o4_k1x1_s1x1_d1x1(%[[X]]
// CHECK: kernel.launch @normalize_c4(%[[X]], %{{.*}}) init(%[[X]])
func.func @shortcut(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %p = vae.constant dense<1.0> : tensor<4x4x1x1xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.conv2d %0, %p : (tensor<?x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x8x8xf32>
  %2 = vae.group_norm %0 {epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %3 = vae.conv2d %2, %w residual(%1) {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %3 : tensor<?x4x8x8xf32>
}

// -----

// What is read later keeps its values; it has no border, and the result one of
// its own.
// CHECK-LABEL: func.func @read_later(
// CHECK: %[[X:.*]] = kernel.launch @conv_i4_o4_k3x3_s1x1_d1x1_p(%{{[^)]*}}) sizes
// CHECK: %[[B:.*]] = kernel.launch @border_0
// CHECK-NEXT: kernel.launch @normalize_c4(%[[X]], %{{.*}}) init(%[[B]])
func.func @read_later(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.group_norm %0 {epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %2 = vae.conv2d %1, %w residual(%0) {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %2 : tensor<?x4x8x8xf32>
}
