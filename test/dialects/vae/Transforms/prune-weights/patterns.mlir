// RUN: vae-opt %s --vae-prune-weights="layers=a=blocks:0.5" | FileCheck %s --check-prefix=BLOCKS
// RUN: vae-opt %s --vae-prune-weights="layers=a=weights:0.5,b=weights:0.5 norms=b=1:10" | FileCheck %s --check-prefix=NORMS
// RUN: vae-opt %s --vae-prune-weights | FileCheck %s --check-prefix=NONE

// Norms of the four blocks of a: 4, 8, 9, 3; the least two go. A block of fewer
// outputs is one, too.
func.func @f(%x: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %w1 = vae.constant dense<[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [9.0, 3.0]]> : tensor<17x2xf32>
  %w2 = vae.constant dense<1.0> : tensor<2x17xf32>
  %w3 = vae.constant dense<[[3.0, 1.0]]> : tensor<1x2xf32>
  %a = vae.dense %x, %w1 : (tensor<?x2xf32>, tensor<17x2xf32>) -> tensor<?x17xf32> loc("a")
  %m = vae.dense %a, %w2 : (tensor<?x17xf32>, tensor<2x17xf32>) -> tensor<?x2xf32> loc("m")
  %b = vae.dense %m, %w3 : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32> loc("b")
  return %b : tensor<?x1xf32>
}

// BLOCKS: vae.pruned_weights = {a = "blocks:0.5"}
// BLOCKS: vae.constant dense<{{\[}}[0.000000e+00, 2.000000e+00], [0.000000e+00, 2.000000e+00]
// BLOCKS-SAME: [9.000000e+00, 0.000000e+00]]>

// The second input is ten times the first one: its smaller weight counts more.
// NORMS: vae.constant dense<{{\[}}[0.000000e+00, 1.000000e+00]]>

// NONE-NOT: vae.pruned_weights
