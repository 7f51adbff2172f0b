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

// A convolution finds the border that it wants around the result.
// CHECK-LABEL: func.func @border
// CHECK: %[[B:.*]] = kernel.launch @border_0
// CHECK-NEXT: %[[Y:.*]] = kernel.launch @normalize_c4(%{{.*}}, %{{.*}}) init(%[[B]])
// CHECK-NOT: kernel.launch @copy_rows
// CHECK: kernel.launch @conv_i4_o4_k3x3_s1x1_d1x1_p(%[[Y]]
func.func @border(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.group_norm %x {epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}
