// RUN: vae-opt %s --vae-absorb-flatten --cse --split-input-file | FileCheck %s

// The rows of a weight and the bias, before an image.
// CHECK-LABEL: func @unflatten
// CHECK-DAG: %[[W:.*]] = vae.constant dense<{{\[\[}}0.000000e+00], [2.000000e+00], [1.000000e+00], [3.000000e+00]]>
// CHECK-DAG: %[[B:.*]] = vae.constant dense<[4.000000e+00, 6.000000e+00, 5.000000e+00, 7.000000e+00]>
// CHECK: %[[D:.*]] = vae.dense %arg0, %[[W]] bias(%[[B]]) {activation = #vae.act<relu>}
// CHECK-NEXT: %[[P:.*]] = vae.reshape %[[D]] {shape = array<i64: 2, 1, 2>} : (tensor<?x4xf32>) -> tensor<?x2x1x2xf32>
// CHECK-NEXT: %[[I:.*]] = vae.transpose %[[P]] {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x2x1x2xf32>) -> tensor<?x2x2x1xf32>
// CHECK-NEXT: vae.global_pool %[[I]]
func.func @unflatten(%x: tensor<?x1xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<[[0.0], [1.0], [2.0], [3.0]]> : tensor<4x1xf32>
  %b = vae.constant dense<[4.0, 5.0, 6.0, 7.0]> : tensor<4xf32>
  %d = vae.dense %x, %w bias(%b) {activation = #vae.act<relu>} : (tensor<?x1xf32>, tensor<4x1xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %i = vae.reshape %d {shape = array<i64: 2, 2, 1>} : (tensor<?x4xf32>) -> tensor<?x2x2x1xf32>
  %y = vae.global_pool %i {kind = #vae.pool<max>} : (tensor<?x2x2x1xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Several layers read the vector; a weight that two of them share stays shared.
// CHECK-LABEL: func @several
// CHECK-NOT: vae.constant
// CHECK: %[[F:.*]] = vae.reshape
// CHECK: vae.constant dense<{{\[\[}}0.000000e+00, 2.000000e+00, 1.000000e+00, 3.000000e+00]]>
// CHECK-NOT: vae.constant
// CHECK-COUNT-3: vae.dense %[[F]]
func.func @several(%x: tensor<?x2x2x1xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  %v = vae.constant dense<[[0.0, 1.0, 2.0, 3.0]]> : tensor<1x4xf32>
  %h = vae.activation %x <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  %f = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %a = vae.dense %f, %v : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  %b = vae.dense %f, %v {activation = #vae.act<relu>} : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  %c = vae.dense %f, %v {activation = #vae.act<tanh>} : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %a, %b, %c : tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
}
