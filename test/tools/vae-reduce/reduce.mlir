// RUN: vae-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-product.sh' | FileCheck %s
// RUN: vae-reduce %s -opt-reduction-pass='opt-pass=symbol-dce test=%S/Inputs/has-product.sh' | FileCheck %s --check-prefix=DCE
// A file that is not interesting is refused.
// RUN: not vae-reduce %S/Inputs/boring.mlir -reduction-tree='traversal-mode=0 test=%S/Inputs/has-product.sh'

// CHECK-NOT: @encoder
// CHECK: func.func @decode
// CHECK: vae.mul
// CHECK-NOT: @sample

// DCE-NOT: @encoder
// DCE: func.func @decode
// DCE: func.func @sample

func.func private @encoder(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.activation %x <relu> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func @decode(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.activation %x <relu> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.mul %0, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}
func.func @sample(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
