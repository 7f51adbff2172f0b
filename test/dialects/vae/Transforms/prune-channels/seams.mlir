// RUN: vae-opt %s --vae-prune-channels="removed=a=0:1,b=0:1" --split-input-file | FileCheck %s

// Channels that are added go together, and so do those of a group.
// CHECK-LABEL: func @residual_and_norm
// CHECK: vae.conv2d %{{.*}} -> tensor<?x2x3x3xf32>
// CHECK: vae.group_norm {{.*}} groups = 1 : i64
// CHECK: vae.conv2d %{{.*}} -> tensor<?x2x3x3xf32>
// CHECK: vae.add %{{.*}} : (tensor<?x2x3x3xf32>
// CHECK: vae.conv2d %{{.*}} : (tensor<?x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<?x1x3x3xf32>
func.func @residual_and_norm(%x: tensor<?x1x3x3xf32>) -> tensor<?x1x3x3xf32> {
  %w1 = vae.constant dense<1.0> : tensor<4x1x1x1xf32>
  %w2 = vae.constant dense<2.0> : tensor<4x4x1x1xf32>
  %w3 = vae.constant dense<3.0> : tensor<1x4x1x1xf32>
  %a = vae.conv2d %x, %w1 : (tensor<?x1x3x3xf32>, tensor<4x1x1x1xf32>) -> tensor<?x4x3x3xf32> loc("a")
  %n = vae.group_norm %a {groups = 2 : i64, epsilon = 0.001 : f64} : (tensor<?x4x3x3xf32>) -> tensor<?x4x3x3xf32>
  %b = vae.conv2d %n, %w2 : (tensor<?x4x3x3xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x3x3xf32> loc("b")
  %s = vae.add %a, %b : (tensor<?x4x3x3xf32>, tensor<?x4x3x3xf32>) -> tensor<?x4x3x3xf32>
  %y = vae.conv2d %s, %w3 : (tensor<?x4x3x3xf32>, tensor<1x4x1x1xf32>) -> tensor<?x1x3x3xf32> loc("c")
  return %y : tensor<?x1x3x3xf32>
}

// -----

// A channel is four columns of the dense layer; the order is that of C, H, W.
// CHECK-LABEL: func @flatten
// CHECK: vae.reshape %{{.*}} {shape = array<i64: 4>} : (tensor<?x1x2x2xf32>) -> tensor<?x4xf32>
// CHECK: vae.constant dense<{{\[}}[8.000000e+00, 9.000000e+00, 1.000000e+01, 1.100000e+01]]> : tensor<1x4xf32>
func.func @flatten(%x: tensor<?x1x2x2xf32>) -> (tensor<?x1xf32>, tensor<?x1x2x2xf32>) {
  %w1 = vae.constant dense<1.0> : tensor<3x1x1x1xf32>
  %w2 = vae.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]]> : tensor<1x12xf32>
  %w3 = vae.constant dense<5.0> : tensor<3x1x1x1xf32>
  %w4 = vae.constant dense<6.0> : tensor<1x3x1x1xf32>
  %a = vae.conv2d %x, %w1 : (tensor<?x1x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<?x3x2x2xf32> loc("a")
  %f = vae.reshape %a {shape = array<i64: 12>} : (tensor<?x3x2x2xf32>) -> tensor<?x12xf32>
  %y = vae.dense %f, %w2 : (tensor<?x12xf32>, tensor<1x12xf32>) -> tensor<?x1xf32>
  %b = vae.conv2d %x, %w3 : (tensor<?x1x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<?x3x2x2xf32> loc("b")
  %z = vae.conv2d %b, %w4 : (tensor<?x3x2x2xf32>, tensor<1x3x1x1xf32>) -> tensor<?x1x2x2xf32>
  return %y, %z : tensor<?x1xf32>, tensor<?x1x2x2xf32>
}

// -----

// Entry points with the same weights lose the same units.
// CHECK-LABEL: func @encode
// CHECK: vae.constant {{.*}} : tensor<1x2xf32>
// CHECK: vae.dense {{.*}} -> tensor<?x1xf32>
// CHECK: vae.dense {{.*}} -> tensor<?x1xf32>
// CHECK-LABEL: func @reconstruct
// CHECK: vae.dense {{.*}} -> tensor<?x1xf32>
func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %w1 = vae.constant dense<1.0> : tensor<3x2xf32>
  %w2 = vae.constant dense<2.0> : tensor<3x3xf32>
  %w3 = vae.constant dense<3.0> : tensor<3x3xf32>
  %a = vae.dense %x, %w1 : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32> loc("a")
  %b = vae.dense %a, %w2 : (tensor<?x3xf32>, tensor<3x3xf32>) -> tensor<?x3xf32> loc("b")
  %y = vae.dense %b, %w3 : (tensor<?x3xf32>, tensor<3x3xf32>) -> tensor<?x3xf32> loc("mu")
  return %y : tensor<?x3xf32>
}
func.func @reconstruct(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w1 = vae.constant dense<1.0> : tensor<3x2xf32>
  %w4 = vae.constant dense<4.0> : tensor<2x3xf32>
  %a = vae.dense %x, %w1 : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32> loc("a")
  %y = vae.dense %a, %w4 : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32> loc("c")
  return %y : tensor<?x2xf32>
}
