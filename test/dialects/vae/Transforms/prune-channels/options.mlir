// RUN: vae-opt %s --vae-prune-channels | FileCheck %s --check-prefix=NONE
// RUN: vae-opt %s --vae-prune-channels="channels=0.25" | FileCheck %s --check-prefix=LAYER
// RUN: vae-opt %s --vae-prune-channels="channels=0.25 scope=global" | FileCheck %s --check-prefix=GLOBAL
// RUN: vae-opt %s --vae-prune-channels="layers=b=0.5" | FileCheck %s --check-prefix=ONE
// RUN: vae-opt %s --vae-prune-channels="channels=0.25 layers=b=0" | FileCheck %s --check-prefix=REST
// RUN: vae-opt %s --vae-prune-channels="channels=0.25 scores=a=4:3:1:2" | FileCheck %s --check-prefix=SCORES
// RUN: vae-opt %s --vae-prune-channels="channels=0.25 scope=global scores=a=10:20:30:40,b=1:2:3:4" | FileCheck %s --check-prefix=RELATIVE
// RUN: vae-opt %s --vae-prune-channels="channels=0.25 scope=global scores=a=10:20:30:40,b=1:2:3:4 absolute=true" | FileCheck %s --check-prefix=ABSOLUTE
// RUN: vae-opt %s --vae-prune-channels="removed=a=0:3" | FileCheck %s --check-prefix=LISTED
// RUN: vae-opt %s --vae-prune-channels="removed=a=0 mask=true" | FileCheck %s --check-prefix=MASK

// Norms relative to the layer: a 0.37, 0.73, 1.1, 1.46; b 0.95, 0.98, 1.02, 1.05.
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w1 = vae.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %w2 = vae.constant dense<[[20.0, 0.0, 0.0, 0.0], [20.5, 0.0, 0.0, 0.0], [21.0, 0.0, 0.0, 0.0], [22.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %w3 = vae.constant dense<1.0> : tensor<1x4xf32>
  %a = vae.dense %x, %w1 : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32> loc("a")
  %b = vae.dense %a, %w2 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("b")
  %c = vae.dense %b, %w3 : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32> loc("c")
  return %c : tensor<?x1xf32>
}

// NONE-NOT: vae.pruned
// LAYER: vae.pruned = {a = array<i64: 0>, b = array<i64: 0>}
// GLOBAL: vae.pruned = {a = array<i64: 0, 1>}
// ONE: vae.pruned = {b = array<i64: 0, 1>}
// REST: vae.pruned = {a = array<i64: 0>}
// SCORES: vae.pruned = {a = array<i64: 2>, b = array<i64: 0>}
// RELATIVE: vae.pruned = {a = array<i64: 0>, b = array<i64: 0>}
// ABSOLUTE: vae.pruned = {b = array<i64: 0, 1>}
// LISTED: vae.pruned = {a = array<i64: 0, 3>}

// MASK: %[[FACTORS:.*]] = vae.constant dense<[0.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00]>
// MASK: vae.channel_affine %{{.*}}, %[[FACTORS]]
