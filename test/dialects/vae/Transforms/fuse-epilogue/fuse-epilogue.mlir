// RUN: vae-opt %s --vae-fuse-epilogue --split-input-file | FileCheck %s

// Scale 1: a bias.
// CHECK-LABEL: func @new_bias
// CHECK: vae.constant dense<[5.000000e-01, 2.500000e-01]>
// CHECK-NEXT: %[[B:.*]] = vae.constant dense<[5.000000e-01, 2.500000e-01]>
// CHECK: vae.dense %arg0, %arg1 bias(%[[B]])
// CHECK-NEXT: return
func.func @new_bias(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %one = vae.constant dense<1.0> : tensor<2xf32>
  %offset = vae.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.channel_affine %h, %one, %offset : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @sum_of_biases
// CHECK: vae.constant dense<[1.500000e+00, 2.250000e+00]>
// CHECK: vae.conv2d %arg0, %arg1 bias(%{{.*}}) {activation = #vae.act<leaky_relu, alpha = 1.000000e-01 : f64>}
// CHECK-NEXT: return
func.func @sum_of_biases(%x: tensor<?x2x?x?xf32>, %w: tensor<2x2x1x1xf32>) -> tensor<?x2x?x?xf32> {
  %b = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %one = vae.constant dense<1.0> : tensor<2xf32>
  %offset = vae.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %h = vae.conv2d %x, %w bias(%b) : (tensor<?x2x?x?xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<?x2x?x?xf32>
  %s = vae.channel_affine %h, %one, %offset : (tensor<?x2x?x?xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x?x?xf32>
  %y = vae.activation %s <leaky_relu, alpha = 0.1> : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  return %y : tensor<?x2x?x?xf32>
}

// -----

// The later layer takes the earlier one, whichever side it stands on.
// CHECK-LABEL: func @both_sides
// CHECK: %[[SKIP:.*]] = vae.dense %arg0, %arg1 :
// CHECK-NEXT: %[[Y:.*]] = vae.dense %arg0, %arg2 residual(%[[SKIP]]) {activation = #vae.act<silu>}
// CHECK-NEXT: return %[[Y]]
func.func @both_sides(%x: tensor<?x2xf32>, %v: tensor<2x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %skip = vae.dense %x, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %s = vae.add %skip, %h : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.activation %s <silu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The residual is computed after the layer, which moves down.
// CHECK-LABEL: func @later_residual
// CHECK: %[[R:.*]] = vae.mul %arg0, %arg0
// CHECK-NEXT: %[[Y:.*]] = vae.conv_transpose2d %arg0, %arg1 residual(%[[R]])
// CHECK-NEXT: return %[[Y]]
func.func @later_residual(%x: tensor<?x1x4x4xf32>, %w: tensor<1x1x1x1xf32>) -> tensor<?x1x4x4xf32> {
  %h = vae.conv_transpose2d %x, %w : (tensor<?x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x4x4xf32>
  %r = vae.mul %x, %x : (tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>) -> tensor<?x1x4x4xf32>
  %y = vae.add %h, %r : (tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>) -> tensor<?x1x4x4xf32>
  return %y : tensor<?x1x4x4xf32>
}

// -----

// The later layer is taken already by its activation; the earlier one is free.
// CHECK-LABEL: func @other_side
// CHECK: %[[R:.*]] = vae.dense %arg0, %arg2 {activation = #vae.act<relu>}
// CHECK-NEXT: %[[Y:.*]] = vae.dense %arg0, %arg1 residual(%[[R]])
// CHECK-NEXT: return %[[Y]]
func.func @other_side(%x: tensor<?x2xf32>, %v: tensor<2x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %p = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %r = vae.activation %p <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.add %h, %r : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Norms over channels take a residual and an activation.
// CHECK-LABEL: func @norms
// CHECK: vae.group_norm %arg0 {activation = #vae.act<silu>,
// CHECK: vae.rms_norm %{{.*}} residual(%arg0)
// CHECK-NEXT: return
func.func @norms(%x: tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> {
  %0 = vae.group_norm %x {epsilon = 1.0e-6 : f64, groups = 2 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = vae.activation %0 <silu> : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %2 = vae.rms_norm %1 {epsilon = 1.0e-5 : f64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %3 = vae.add %2, %x : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %3 : tensor<?x4x?x?xf32>
}
