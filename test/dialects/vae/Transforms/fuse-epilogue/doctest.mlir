// RUN: vae-opt %s --vae-fuse-epilogue | FileCheck %s

func.func @residual_block(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %s = vae.add %h, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.activation %s <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK: %[[Y:.*]] = vae.dense %[[X:.*]], %{{.*}} residual(%[[X]]) {activation = #vae.act<relu>}
// CHECK-NEXT: return %[[Y]]
