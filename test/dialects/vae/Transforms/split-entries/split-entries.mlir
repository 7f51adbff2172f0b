// RUN: vae-opt %s --vae-split-entries --vae-find-halos | FileCheck %s
// RUN: vae-opt %s --vae-split-entries=most-points=1 | FileCheck %s --check-prefix=ONE
// RUN: vae-opt %s --vae-split-entries=most-points=0 | FileCheck %s --check-prefix=NONE
// NONE-NOT: vae.segment

#last = #vae.layout<channels_last>
#image = affine_map<()[s0, s1, s2] -> (s0, 1, s1 * 4, s2 * 4)>

// Down and up: the cuts are on the smaller sides, the layout stays, and a value
// that two segments would need leaves no point.
// CHECK-LABEL: func.func @reconstruct(
// CHECK-SAME: halos = [array<i64: 0, 0, 0>, array<i64: 2, 1, 1>, array<i64: 2, 1, 1>]
// CHECK: func.func @reconstruct.0.1(
// CHECK-SAME: -> (tensor<?x1x?x?xf32, #vae.layout<channels_last>> {vae.dims = #map{{[0-9]*}}, vae.layout = "NCHW", vae.name = "part", vae.role = "layer"})
// CHECK-SAME: place = array<i64: 0, 1, 4>}, vae.tiling = {halos = [array<i64: 0, 0, 0>, array<i64: 1, 0, 1>, array<i64: 1, 0, 1>]}
// CHECK: func.func @reconstruct.0.2(
// CHECK: func.func @reconstruct.1.2(
// CHECK: func.func @reconstruct.1.3(
// CHECK: func.func @reconstruct.2.3(%arg0: tensor<?x1x?x?xf32, #vae.layout<channels_last>>
// CHECK-SAME: place = array<i64: 2, 3, 4>}
// ONE: func.func @reconstruct.0.1(
// ONE-SAME: place = array<i64: 0, 1, 3>
// ONE: func.func @reconstruct.1.2(
// ONE-NOT: func.func @reconstruct.
func.func @reconstruct(%x: tensor<?x1x?x?xf32, #last> {vae.dims = #image}) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %h = vae.pool2d %x {kernel = array<i64: 3, 3>, kind = #vae.pool<max>, strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 0, 0>} : (tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32, #last>
  %p = vae.pool2d %h {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32, #last>
  %a = vae.activation %p <tanh> : (tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32, #last>
  %b = vae.add %p, %a : (tensor<?x1x?x?xf32, #last>, tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32, #last>
  %u = vae.upsample %b {scale = array<i64: 4, 4>, mode = #vae.resize<bilinear>} : (tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32, #last>
  %y = vae.convert_layout %u : (tensor<?x1x?x?xf32, #last>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// A skip connection around the change of resolution, and what cannot be cut.
// CHECK-NOT: func.func @skip.
// CHECK-NOT: func.func @norm.
func.func @skip(%x: tensor<?x1x?x?xf32> {vae.dims = #image}) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %p = vae.pool2d %x {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %u = vae.upsample %p {scale = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.add %x, %u : (tensor<?x1x?x?xf32>, tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}
func.func @norm(%x: tensor<?x1x?x?xf32> {vae.dims = #image}) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %p = vae.pool2d %x {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %n = vae.group_norm %p {epsilon = 1.000000e-06 : f64, groups = 1 : i64} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %n : tensor<?x1x?x?xf32>
}
