// RUN: vae-opt %s --vae-prune-channels=channels=0.5 --mlir-print-debuginfo | FileCheck %s

// Of the rows of fc1, [3, 0] and [1, 1] have the larger norms: unit 1 goes, and
// the column of fc2 that reads it. Units of fc2 are the output.
module attributes {vae.model = {parameters = 11 : i64}} {
  func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %w1 = vae.constant dense<[[3.0, 0.0], [1.0, 1.0]]> : tensor<2x2xf32>
    %b1 = vae.constant dense<[7.0, 8.0]> : tensor<2xf32>
    %w2 = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %h = vae.dense %x, %w1 bias(%b1) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("fc1")
    %r = vae.activation %h <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %y = vae.dense %r, %w2 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("fc2")
    return %y : tensor<?x2xf32>
  }
}

// CHECK: vae.model = {parameters = 6 : i64}, vae.pruned = {fc1 = array<i64: 1>}
// CHECK: %[[W1:.*]] = vae.constant dense<{{\[}}[3.000000e+00, 0.000000e+00]]> : tensor<1x2xf32>
// CHECK: %[[B1:.*]] = vae.constant dense<7.000000e+00> : tensor<1xf32>
// CHECK: %[[H:.*]] = vae.dense %{{.*}}, %[[W1]] bias(%[[B1]]) : (tensor<?x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<?x1xf32>
// CHECK: %[[R:.*]] = vae.activation %[[H]]
// CHECK: %[[W2:.*]] = vae.constant dense<{{\[}}[1.000000e+00], [3.000000e+00]]> : tensor<2x1xf32>
// CHECK: vae.dense %[[R]], %[[W2]]
// CHECK-SAME: -> tensor<?x2xf32>
