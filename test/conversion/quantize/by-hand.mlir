// `layers` decides about heads and about what pays; `exact-ends` about heads.
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1,fc1:0:4 layers=fc1=none,fc2=int8" | FileCheck %s
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1,fc1:0:4 layers=none,fc1=int8" | FileCheck %s --check-prefix=ONE
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1,fc1:0:4 exact-ends=false" | FileCheck %s --check-prefix=ENDS

// CHECK: vae.dense {{.*}} {vae.quantize_note = "asked for"}
// CHECK: vae.dense {{.*}} {vae.weight_type
// ONE: vae.dense {{.*}} {vae.weight_type
// ONE: vae.dense {{.*}} {vae.quantize_note = "asked for"}
// ENDS: vae.dense {{.*}} {vae.weight_type
// ENDS: vae.dense {{.*}} {vae.weight_type
func.func @encode(%x: tensor<?x4xf32> {vae.name = "x"}) -> (tensor<?x2xf32> {vae.role = "mu"}) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x4xf32>
  %w1 = vae.constant dense<2.0> : tensor<2x8xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32> loc("fc1")
  %1 = vae.dense %0, %w1 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32> loc("fc2")
  return %1 : tensor<?x2xf32>
}
