// RUN: vae-opt %s --vae-absorb-flatten | FileCheck %s

func.func @flatten(%x: tensor<?x2x1x2xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<[[0.0, 1.0, 2.0, 3.0]]> : tensor<1x4xf32>
  %h = vae.activation %x <relu> : (tensor<?x2x1x2xf32>) -> tensor<?x2x1x2xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x1x2xf32>) -> tensor<?x4xf32>
  %y = vae.dense %f, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// Channels of a pixel side by side.
// CHECK: %[[P:.*]] = vae.transpose %{{.*}} {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x2x1x2xf32>) -> tensor<?x1x2x2xf32>
// CHECK: %[[F:.*]] = vae.reshape %[[P]] {shape = array<i64: -1>}
// CHECK: %[[W:.*]] = vae.constant dense<{{\[\[}}0.000000e+00, 2.000000e+00, 1.000000e+00, 3.000000e+00]]>
// CHECK: vae.dense %[[F]], %[[W]]
