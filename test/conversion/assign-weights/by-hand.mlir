// `layers` decides about the ends, the heads and small weights; a form that there is
// not stays away, with a note.
// RUN: vae-opt %s --vae-assign-weights="weights=int8 layers=fc1=w4,fc2=f32,mu=w8,dots=w8" | FileCheck %s
// RUN: vae-opt %s --vae-assign-weights="layers=fc2=w4" | FileCheck %s --check-prefix=ONE
// RUN: vae-opt %s --vae-assign-weights="weights=int8 layers=none,fc2=w8" | FileCheck %s --check-prefix=ALL
// RUN: not vae-opt %s --vae-assign-weights="layers=fc1=w2" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: layers are [LAYER=]KIND with a kind of none, f32, mixed, bf16, int8, w8, w4; found 'fc1=w2'

// CHECK: vae.dense {{.*}} {vae.weight_type = !quant.uniform<i4{{.*}} (tensor<?x32xf32>, tensor<64x32xf32>)
// CHECK-NEXT: vae.dense {{[^{]*}} : (tensor<?x64xf32>, tensor<48x64xf32>)
// CHECK-NEXT: vae.dense {{.*}} {vae.weight_type = !quant.uniform<i8{{.*}} (tensor<?x48xf32>, tensor<20x48xf32>)
// CHECK-NEXT: vae.dense {{.*}} {vae.storage_note = "fewer than 4 outputs in a group"} : (tensor<?x48xf32>, tensor<3x48xf32>)
// ONE: vae.dense {{[^{]*}} : (tensor<?x32xf32>, tensor<64x32xf32>)
// ONE-NEXT: vae.dense {{.*}} {vae.weight_type = !quant.uniform<i4
// ALL: vae.dense {{[^{]*}} : (tensor<?x32xf32>, tensor<64x32xf32>)
// ALL-NEXT: vae.dense {{.*}} {vae.weight_type = !quant.uniform<i8
// ALL-NEXT: vae.dense {{[^{]*}} : (tensor<?x48xf32>, tensor<20x48xf32>)
func.func @encode(%x: tensor<?x32xf32>) -> (tensor<?x20xf32> {vae.role = "mu"}, tensor<?x3xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<64x32xf32>
  %w1 = vae.constant dense<1.0> : tensor<48x64xf32>
  %w2 = vae.constant dense<1.0> : tensor<20x48xf32>
  %w3 = vae.constant dense<1.0> : tensor<3x48xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x32xf32>, tensor<64x32xf32>) -> tensor<?x64xf32> loc("fc1")
  %1 = vae.dense %0, %w1 : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32> loc("fc2")
  %2 = vae.dense %1, %w2 : (tensor<?x48xf32>, tensor<20x48xf32>) -> tensor<?x20xf32> loc("mu")
  %3 = vae.dense %1, %w3 : (tensor<?x48xf32>, tensor<3x48xf32>) -> tensor<?x3xf32> loc("dots")
  return %2, %3 : tensor<?x20xf32>, tensor<?x3xf32>
}

// A weight of which layers want different things is f32.
// ALL-LABEL: func.func @shared
// CHECK-LABEL: func.func @shared
// ONE-LABEL: func.func @shared
// ONE-NOT: vae.weight_type
// ONE: return
func.func @shared(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {vae.entry} {
  %w = vae.constant dense<2.0> : tensor<64x64xf32>
  %0 = vae.dense %x, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32> loc("fc2")
  %1 = vae.dense %0, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32> loc("fc3")
  return %1 : tensor<?x64xf32>
}
