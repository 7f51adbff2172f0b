// RUN: vae-opt %s | vae-opt | FileCheck %s

// CHECK-LABEL: func.func @dense
// CHECK: vae.dense %{{.*}}, %{{.*}} bias(%{{.*}}) {activation = #vae.act<relu>} : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<?x3xf32>
func.func @dense(%x: tensor<?x4xf32>, %w: tensor<3x4xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %y = vae.dense %x, %w bias(%b) {activation = #vae.act<relu>}
      : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
