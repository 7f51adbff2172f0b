// RUN: vae-opt %s --vae-fuse-upsample --split-input-file | FileCheck %s

// Groups, bias, residual and activation stay; another factor on each axis;
// asymmetric padding p becomes k - 1 - p. Filters of group g, [O, C/G], become
// [C, O/G].
// CHECK-LABEL: func @everything
// CHECK-DAG: vae.constant dense<{{\[\[\[}}[1.000000e+00], [1.000000e+00]], {{\[\[}}2.000000e+00], [2.000000e+00]]], {{\[\[}}[3.000000e+00], [3.000000e+00]], {{\[\[}}4.000000e+00], [4.000000e+00]]]]> : tensor<2x2x2x1xf32>
// CHECK-DAG: %[[B:.*]] = vae.constant dense<5.000000e-01>
// CHECK: vae.conv_transpose2d %arg0, %{{.*}} bias(%[[B]]) residual(%arg1) {activation = #vae.act<relu>, groups = 2 : i64, strides = array<i64: 2, 1>}
// CHECK-NEXT: return
func.func @everything(%x: tensor<?x2x4x4xf32>, %r: tensor<?x4x8x4xf32>) -> tensor<?x4x8x4xf32> {
  %w = vae.constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]> : tensor<4x1x1x1xf32>
  %b = vae.constant dense<0.5> : tensor<4xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 1>} : (tensor<?x2x4x4xf32>) -> tensor<?x2x8x4xf32>
  %y = vae.conv2d %u, %w bias(%b) residual(%r) {groups = 2, activation = #vae.act<relu>}
      : (tensor<?x2x8x4xf32>, tensor<4x1x1x1xf32>, tensor<4xf32>, tensor<?x4x8x4xf32>) -> tensor<?x4x8x4xf32>
  return %y : tensor<?x4x8x4xf32>
}

// -----

// CHECK-LABEL: func @dynamic_size
// CHECK: vae.conv_transpose2d %arg0, %{{.*}} {padding = array<i64: 0, 1, 2, 1>, strides = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>, tensor<1x1x4x4xf32>) -> tensor<?x1x?x?xf32>
// CHECK-NEXT: return
func.func @dynamic_size(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.conv2d %u, %w {padding = array<i64: 2, 1, 0, 1>} : (tensor<?x1x?x?xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// -----

// A pointwise convolution and repetition commute.
// CHECK-LABEL: func @pointwise
// CHECK: %[[H:.*]] = vae.conv2d %arg0, %{{.*}} {activation = #vae.act<relu>} : (tensor<?x1x?x4xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x?x4xf32>
// CHECK-NEXT: %[[Y:.*]] = vae.upsample %[[H]] {scale = array<i64: 3, 2>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @pointwise(%x: tensor<?x1x?x4xf32>) -> tensor<?x2x?x8xf32> {
  %w = vae.constant dense<1.0> : tensor<2x1x1x1xf32>
  %u = vae.upsample %x {scale = array<i64: 3, 2>} : (tensor<?x1x?x4xf32>) -> tensor<?x1x?x8xf32>
  %y = vae.conv2d %u, %w {activation = #vae.act<relu>} : (tensor<?x1x?x8xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}

// -----

// Each convolution by itself; the upsampling stays for its other use.
// CHECK-LABEL: func @several_uses
// CHECK: %[[U:.*]] = vae.upsample %arg0
// CHECK: vae.conv_transpose2d %arg0
// CHECK: vae.conv_transpose2d %arg0
// CHECK: return %{{.*}}, %{{.*}}, %[[U]]
func.func @several_uses(%x: tensor<?x1x4x4xf32>) -> (tensor<?x1x6x6xf32>, tensor<?x1x6x6xf32>, tensor<?x1x8x8xf32>) {
  %v = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %w = vae.constant dense<2.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %a = vae.conv2d %u, %v : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32>
  %b = vae.conv2d %u, %w : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32>
  return %a, %b, %u : tensor<?x1x6x6xf32>, tensor<?x1x6x6xf32>, tensor<?x1x8x8xf32>
}
