// RUN: vae-opt %s --vae-expose-layers | FileCheck %s

func.func @encode(%x: tensor<?x2xf32> {vae.name = "x"}, %w: tensor<2x2xf32>) -> (tensor<?x2xf32> {vae.name = "mu"})
    attributes {vae.entry} {
  %h = vae.dense %x, %w {activation = #vae.act<relu>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("hidden")
  %y = vae.dense %h, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("mu")
  return %y : tensor<?x2xf32>
}

// CHECK: -> (tensor<?x2xf32> {vae.name = "mu"}, tensor<?x2xf32> {vae.layout = "NC", vae.name = "hidden", vae.role = "layer"})
// CHECK: %[[H:.*]] = vae.dense %{{.*}} {activation = #vae.act<relu>}
// CHECK: %[[Y:.*]] = vae.dense %[[H]]
// CHECK: return %[[Y]], %[[H]]
