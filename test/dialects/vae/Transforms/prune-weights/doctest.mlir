// RUN: vae-opt %s --vae-prune-weights=layers=fc1=2:4,fc2=weights:0.5 --mlir-print-debuginfo | FileCheck %s

// Of every 4 inputs of an output of fc1, the 2 of largest magnitude stay; of the
// last 2, both. Of the 6 weights of fc2, 3 go, of all its outputs together.
module {
  func.func @f(%x: tensor<?x6xf32>) -> tensor<?x3xf32> {
    %w1 = vae.constant dense<[[1.0, -4.0, 2.0, 3.0, 0.5, 0.25], [8.0, 7.0, 6.0, -9.0, 1.0, 2.0]]> : tensor<2x6xf32>
    %w2 = vae.constant dense<[[1.0, -6.0], [2.0, 5.0], [-4.0, 3.0]]> : tensor<3x2xf32>
    %h = vae.dense %x, %w1 : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32> loc("fc1")
    %y = vae.dense %h, %w2 : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32> loc("fc2")
    return %y : tensor<?x3xf32>
  }
}

// CHECK: vae.pruned_weights = {fc1 = "2:4", fc2 = "weights:0.5"}
// CHECK: %[[W1:.*]] = vae.constant dense<{{\[}}[0.000000e+00, -4.000000e+00, 0.000000e+00, 3.000000e+00, 5.000000e-01, 2.500000e-01], [8.000000e+00, 0.000000e+00, 0.000000e+00, -9.000000e+00, 1.000000e+00, 2.000000e+00]]>
// CHECK: vae.dense %{{.*}}, %[[W1]]
// CHECK: %[[W2:.*]] = vae.constant dense<{{\[}}[0.000000e+00, -6.000000e+00], [0.000000e+00, 5.000000e+00], [-4.000000e+00, 0.000000e+00]]>
// CHECK: vae.dense %{{.*}}, %[[W2]]
