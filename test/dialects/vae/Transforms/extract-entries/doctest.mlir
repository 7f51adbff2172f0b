// RUN: vae-opt %s --vae-extract-entries=entries=encode | FileCheck %s

func.func private @encoder(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %z = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
func.func private @decoder(%z: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %y = vae.dense %z, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  %z = call @encoder(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
func.func @decode(%z: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  %y = call @decoder(%z) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK-NOT: @decode
// CHECK: func.func private @encoder
// CHECK-NOT: @decode
// CHECK: func.func @encode(
// CHECK: call @encoder
// CHECK-NOT: @decode
