// RUN: vae-opt %s --vae-prune-weights="pattern=weights:0.5" | FileCheck %s --check-prefix=LAYER
// RUN: vae-opt %s --vae-prune-weights="pattern=weights:0.5 scope=global" | FileCheck %s --check-prefix=GLOBAL
// RUN: vae-opt %s --vae-prune-weights="pattern=2:4 layers=mu=2:4" | FileCheck %s --check-prefix=NAMED

// Heads of the latent, depthwise convolutions and layers of few weights are left
// out unless they are named. Globally the layer of small weights loses all that
// it can.
func.func @encode(%x: tensor<?x32xf32>) -> (tensor<?x32xf32> {vae.role = "mu"}) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<32x32xf32>
  %w1 = vae.constant dense<2.0> : tensor<32x32xf32>
  %w2 = vae.constant dense<3.0> : tensor<16x32xf32>
  %w3 = vae.constant dense<4.0> : tensor<32x16xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32> loc("small")
  %1 = vae.dense %0, %w1 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32> loc("large")
  %2 = vae.dense %1, %w2 : (tensor<?x32xf32>, tensor<16x32xf32>) -> tensor<?x16xf32> loc("few")
  %3 = vae.dense %2, %w3 : (tensor<?x16xf32>, tensor<32x16xf32>) -> tensor<?x32xf32> loc("mu")
  return %3 : tensor<?x32xf32>
}

// LAYER: vae.pruned_weights = {large = "weights:0.5", small = "weights:0.5"}
// LAYER-SAME: vae.unpruned = {few = "has fewer than 1024 weights", mu = "is a head of the latent"}
// GLOBAL-DAG: vae.constant dense<0.000000e+00> : tensor<32x32xf32>
// GLOBAL-DAG: vae.constant dense<2.000000e+00> : tensor<32x32xf32>
// NAMED: vae.pruned_weights = {large = "2:4", mu = "2:4", small = "2:4"}
