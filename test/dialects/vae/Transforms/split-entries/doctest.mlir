// RUN: vae-opt %s --vae-split-entries | FileCheck %s

#small = affine_map<()[s0, s1, s2] -> (s0, 2, s1, s2)>

// One cut, before the enlargement: there the image is small.
// CHECK-LABEL: func.func @decode(
// CHECK-SAME: attributes {vae.entry}
// CHECK: func.func @decode.0.1(
// CHECK-SAME: -> (tensor<?x4x?x?xf32> {vae.dims = {{.*}}vae.name = "part", vae.role = "layer"})
// CHECK-SAME: vae.segment = {entry = "decode", place = array<i64: 0, 1, 3>}
// CHECK-NEXT: {{.*}}vae.constant
// CHECK-NEXT: {{.*}}vae.conv2d
// CHECK-NEXT: {{.*}}vae.activation
// CHECK-NEXT: return
// CHECK: func.func @decode.1.2(
// CHECK-SAME: -> (tensor<?x4x?x?xf32> {vae.name = "y"})
// CHECK-SAME: vae.segment = {entry = "decode", place = array<i64: 1, 2, 3>}
// CHECK-NEXT: {{.*}}vae.upsample
// CHECK-NEXT: {{.*}}vae.activation
// CHECK-NEXT: return
func.func @decode(%z: tensor<?x2x?x?xf32> {vae.name = "z", vae.dims = #small}) -> (tensor<?x4x?x?xf32> {vae.name = "y"})
    attributes {vae.entry} {
  %w = vae.constant dense<0.5> : tensor<4x2x1x1xf32>
  %h = vae.conv2d %z, %w : (tensor<?x2x?x?xf32>, tensor<4x2x1x1xf32>) -> tensor<?x4x?x?xf32>
  %a = vae.activation %h <relu> : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %u = vae.upsample %a {scale = array<i64: 2, 2>} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = vae.activation %u <tanh> : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}
