// RUN: vae-opt %s --vae-expose-layers | FileCheck %s
// RUN: vae-opt %s --vae-expose-layers=expose=false | FileCheck %s --check-prefix=NONE

#last = #vae.layout<channels_last>

// Images leave in row-major order; fused layers have the names of all.
// CHECK-LABEL: func.func @image
// CHECK-SAME: tensor<?x3x4x4xf32> {vae.layout = "NCHW", vae.name = "conv+norm+act", vae.role = "layer"}
// CHECK: %[[Y:.*]] = vae.activation
// CHECK: %[[C:.*]] = vae.convert_layout %[[Y]] : (tensor<?x3x4x4xf32, #vae.layout<channels_last>>) -> tensor<?x3x4x4xf32>
// CHECK: return %{{.*}}, %[[C]]
// NONE-LABEL: func.func @image
// NONE-SAME: -> (tensor<?x3xf32> {vae.name = "y"}) attributes
func.func @image(%x: tensor<?x3x4x4xf32, #last>) -> (tensor<?x3xf32> {vae.name = "y"})
    attributes {vae.entry} {
  %y = vae.activation %x <relu> : (tensor<?x3x4x4xf32, #last>) -> tensor<?x3x4x4xf32, #last> loc(fused["conv", "norm", "act"("model.json":1:2)])
  %p = vae.global_pool %y {kind = #vae.pool<avg>} : (tensor<?x3x4x4xf32, #last>) -> tensor<?x3xf32>
  return %p : tensor<?x3xf32>
}

// What an operation is inlined from does not matter. A layer of several
// operations, and one that has the name of a result, get numbers.
// CHECK-LABEL: func.func @names
// CHECK-SAME: vae.name = "sum"}, {{.*}}vae.name = "sum#2"{{.*}}vae.name = "sum#1"{{.*}}vae.name = "tanh"
func.func @names(%x: tensor<?x3xf32>) -> (tensor<?x3xf32> {vae.name = "sum"})
    attributes {vae.entry} {
  %a = vae.add %x, %x : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32> loc("sum")
  %b = vae.add %a, %x : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32> loc("sum")
  %c = vae.activation %b <tanh> : (tensor<?x3xf32>) -> tensor<?x3xf32> loc(callsite("tanh" at "names"))
  %d = vae.activation %c <relu> : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %d : tensor<?x3xf32>
}

// A result is not exposed a second time, nor are weights and conversions. The
// height of the pool is no linear function of the input's.
// CHECK-LABEL: func.func @not
// CHECK-SAME: -> (tensor<?x3xf32>, tensor<?x3x?x?xf32>) attributes
func.func @not(%x: tensor<?x3x?x?xf32, #last> {vae.dims = affine_map<()[s0, s1, s2] -> (s0, 3, s1, s2)>})
    -> (tensor<?x3xf32>, tensor<?x3x?x?xf32>) attributes {vae.entry} {
  %r = vae.activation %x <relu> : (tensor<?x3x?x?xf32, #last>) -> tensor<?x3x?x?xf32, #last>
  %p = vae.pool2d %r {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x3x?x?xf32, #last>) -> tensor<?x3x?x?xf32, #last>
  %g = vae.global_pool %p {kind = #vae.pool<avg>} : (tensor<?x3x?x?xf32, #last>) -> tensor<?x3xf32>
  %n = vae.convert_layout %r : (tensor<?x3x?x?xf32, #last>) -> tensor<?x3x?x?xf32>
  return %g, %n : tensor<?x3xf32>, tensor<?x3x?x?xf32>
}

// CHECK-LABEL: func.func private @no_entry
// CHECK-SAME: -> tensor<?x3xf32> {
func.func private @no_entry(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %a = vae.activation %x <relu> : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %b = vae.activation %a <tanh> : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %b : tensor<?x3xf32>
}
