// RUN: vae-opt %s --vae-find-halos | FileCheck %s

#image = affine_map<()[s0, s1, s2] -> (s0, 3, s1 * 2, s2 * 2)>

// The first convolution takes pixels 2i - 1 .. 2i + 1, so that the last unit of
// a tile has all of them; the second one neighbour on either side.
// CHECK: vae.tiling = {halos = [array<i64: 0, 0, 0>, array<i64: 2, 1, 1>, array<i64: 2, 1, 1>]}
func.func @encode(%x: tensor<?x3x?x?xf32> {vae.dims = #image}, %a: tensor<4x3x3x3xf32>, %b: tensor<4x4x3x3xf32>)
    -> tensor<?x4x?x?xf32> attributes {vae.entry} {
  %h = vae.conv2d %x, %a {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x3x?x?xf32>, tensor<4x3x3x3xf32>) -> tensor<?x4x?x?xf32>
  %y = vae.conv2d %h, %b {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x?x?xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}
