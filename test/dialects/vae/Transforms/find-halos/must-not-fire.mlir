// RUN: vae-opt %s --vae-find-halos | FileCheck %s
// RUN: vae-opt %s --vae-find-halos --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// REMARK: remark: [Passed] whole | Category:vae-find-halos | Function=norm

// The first operation that depends on the whole image is named.
// CHECK-LABEL: func.func @norm
// CHECK-SAME: vae.tiling = {layer = "enc.norm", operation = "group_norm"}
func.func @norm(%x: tensor<?x4x?x?xf32>) -> tensor<?x4xf32> attributes {vae.entry} {
  %a = vae.activation %x <relu> : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %n = vae.group_norm %a {epsilon = 1.000000e-06 : f64, groups = 2 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> loc("enc.norm")
  %y = vae.global_pool %n {kind = #vae.pool<avg>} : (tensor<?x4x?x?xf32>) -> tensor<?x4xf32> loc("pool")
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @flatten
// CHECK-SAME: operation = "reshape"
func.func @flatten(%x: tensor<?x4x?x?xf32>) -> tensor<?x?xf32> attributes {vae.entry} {
  %y = vae.reshape %x {shape = array<i64: -1>} : (tensor<?x4x?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @corners
// CHECK-SAME: operation = "upsample"
func.func @corners(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %y = vae.upsample %x {scale = array<i64: 2, 2>, mode = #vae.resize<bilinear>, align_corners = true} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// Along the channels softmax is local, along a row it is not.
// CHECK-LABEL: func.func @softmax
// CHECK-SAME: operation = "softmax"
func.func @softmax(%x: tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> attributes {vae.entry} {
  %c = vae.softmax %x {axis = 1 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = vae.softmax %c {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}

// Images that begin at different pixels, or have different sizes in a tile.
// CHECK-LABEL: func.func @sizes
// CHECK-SAME: operation = "add"
func.func @sizes(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.add %x, %u : (tensor<?x1x?x?xf32>, tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// One symbol for both axes of an image.
// CHECK-LABEL: func.func @square
// CHECK-SAME: vae.tiling = {layer = "x", operation = "input"}
func.func @square(%x: tensor<?x1x?x?xf32> {vae.name = "x", vae.dims = affine_map<()[s0, s1] -> (s0, 1, s1, s1)>}) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  return %x : tensor<?x1x?x?xf32>
}

// Fixed sizes, and functions that are no entry points, get nothing.
// CHECK-LABEL: func.func @fixed
// CHECK-NOT: vae.tiling
func.func @fixed(%x: tensor<?x1x8x8xf32>) -> tensor<?x1x8x8xf32> attributes {vae.entry} {
  return %x : tensor<?x1x8x8xf32>
}
func.func private @no_entry(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> {
  return %x : tensor<?x1x?x?xf32>
}
