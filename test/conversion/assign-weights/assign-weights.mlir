// RUN: vae-opt %s --vae-assign-weights=weights=int8 --split-input-file | FileCheck %s --check-prefix=W8
// RUN: vae-opt %s --vae-assign-weights="weights=int4 group=64" --split-input-file | FileCheck %s --check-prefix=W4
// RUN: vae-opt %s --vae-assign-weights --split-input-file | FileCheck %s --check-prefix=F32
// RUN: vae-opt %s --vae-assign-weights="weights=int8 exact-ends=false" --split-input-file | FileCheck %s --check-prefix=ENDS
// RUN: vae-opt %s --vae-assign-weights="weights=int8 exact-ends=false layers=hidden=none" --split-input-file | FileCheck %s --check-prefix=NAMED
// F32-NOT: vae.weight_type

// The first and the last layer stay f32, unless they are dense ones of many
// weights; so do the heads of the latent, and layers of fewer than 1024 weights.
// W8-LABEL: func.func @encode
// W8-NOT: vae.weight_type
// W8: vae.dense {{.*}} {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.0078740157480314
// W8-SAME: (tensor<?x64xf32>, tensor<48x64xf32>)
// W8-NOT: vae.weight_type
// W8: return
// W4-LABEL: func.func @encode
// W4: !quant.uniform<i4<-7:7>:f32:{0:1, 1:64}, {
// ENDS-LABEL: func.func @encode
// ENDS: vae.dense {{.*}} {vae.weight_type = {{.*}} (tensor<?x32xf32>, tensor<64x32xf32>)
// ENDS: vae.dense {{.*}} {vae.weight_type = {{.*}} (tensor<?x64xf32>, tensor<48x64xf32>)
// ENDS: vae.dense {{.*}} {vae.weight_type = {{.*}} (tensor<?x48xf32>, tensor<20x48xf32>)
// ENDS: vae.dense {{.*}} {vae.weight_type = {{.*}} (tensor<?x20xf32>, tensor<64x20xf32>)
func.func @encode(%x: tensor<?x32xf32>) -> (tensor<?x64xf32> {vae.role = "mu"}) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<64x32xf32>
  %w1 = vae.constant dense<1.0> : tensor<48x64xf32>
  %w2 = vae.constant dense<1.0> : tensor<20x48xf32>
  %w3 = vae.constant dense<1.0> : tensor<64x20xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x32xf32>, tensor<64x32xf32>) -> tensor<?x64xf32>
  %1 = vae.dense %0, %w1 : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32>
  %2 = vae.dense %1, %w2 : (tensor<?x48xf32>, tensor<20x48xf32>) -> tensor<?x20xf32>
  %3 = vae.dense %2, %w3 : (tensor<?x20xf32>, tensor<64x20xf32>) -> tensor<?x64xf32>
  return %3 : tensor<?x64xf32>
}

// -----

// A weight of two entry points is stored alike.
// W8-LABEL: func.func @first
// W8-NOT: vae.weight_type
// W8-LABEL: func.func @second
// W8-NOT: vae.weight_type
// W8: return
func.func @first(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {vae.entry} {
  %w = vae.constant dense<2.0> : tensor<64x64xf32>
  %0 = vae.dense %x, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
func.func @second(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {vae.entry} {
  %w = vae.constant dense<2.0> : tensor<64x64xf32>
  %e = vae.constant dense<3.0> : tensor<64x64xf32>
  %0 = vae.dense %x, %e : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %1 = vae.dense %0, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %2 = vae.dense %1, %e : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// -----

// Blocks of a convolution are inputs of a tap, all of them if they are fewer
// than asked for; of fewer than 8, weights get 8 bits. Not depthwise ones, nor
// weights that are no numbers.
// W4-LABEL: func.func @convolutions
// W4: vae.conv2d {{.*}}vae.storage_note = "4 bits want blocks of 8 inputs or more, and a block has 4", vae.weight_type = !quant.uniform<i8
// W4: vae.conv2d {{.*}}vae.weight_type = !quant.uniform<i4<-7:7>:f32:{0:1, 1:32, 2:1, 3:1}, {{[{][{][{][{]}}
// W4-SAME: (tensor<?x32x?x?xf32>, tensor<96x32x3x3xf32>)
// W4: vae.conv_transpose2d {{.*}}vae.weight_type = !quant.uniform<i4<-7:7>:f32:{0:64, 1:1, 2:1, 3:1}
// W4: vae.conv_transpose2d {{.*}}vae.storage_note = "blocks of 64 inputs do not divide the 96 of a group", vae.weight_type = !quant.uniform<i8<-127:127>:f32:1,
// W4-NOT: vae.weight_type
// W4: vae.storage_note = "a weight is not finite"
// W4: return
func.func @convolutions(%x: tensor<?x4x?x?xf32>) -> tensor<?x192x?x?xf32> attributes {vae.entry} {
  %e = vae.constant dense<1.0> : tensor<4x4x1x1xf32>
  %w0 = vae.constant dense<1.0> : tensor<32x4x3x3xf32>
  %w1 = vae.constant dense<1.0> : tensor<96x32x3x3xf32>
  %w2 = vae.constant dense<1.0> : tensor<96x192x1x1xf32>
  %w3 = vae.constant dense<1.0> : tensor<192x96x1x1xf32>
  %w4 = vae.constant dense<1.0> : tensor<192x1x3x3xf32>
  %w5 = vae.constant dense<0x7fc00000> : tensor<192x192x1x1xf32>
  %w6 = vae.constant dense<2.0> : tensor<192x1x1x1xf32>
  %0 = vae.conv2d %x, %e : (tensor<?x4x?x?xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x?x?xf32>
  %1 = vae.conv2d %0, %w0 : (tensor<?x4x?x?xf32>, tensor<32x4x3x3xf32>) -> tensor<?x32x?x?xf32>
  %2 = vae.conv2d %1, %w1 : (tensor<?x32x?x?xf32>, tensor<96x32x3x3xf32>) -> tensor<?x96x?x?xf32>
  %3 = vae.conv_transpose2d %2, %w2 : (tensor<?x96x?x?xf32>, tensor<96x192x1x1xf32>) -> tensor<?x192x?x?xf32>
  %4 = vae.conv_transpose2d %3, %w3 {groups = 2} : (tensor<?x192x?x?xf32>, tensor<192x96x1x1xf32>) -> tensor<?x192x?x?xf32>
  %5 = vae.conv2d %4, %w4 {groups = 192, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x192x?x?xf32>, tensor<192x1x3x3xf32>) -> tensor<?x192x?x?xf32>
  %6 = vae.conv2d %5, %w5 : (tensor<?x192x?x?xf32>, tensor<192x192x1x1xf32>) -> tensor<?x192x?x?xf32>
  %7 = vae.conv2d %6, %w6 {groups = 192} : (tensor<?x192x?x?xf32>, tensor<192x1x1x1xf32>) -> tensor<?x192x?x?xf32>
  return %7 : tensor<?x192x?x?xf32>
}

// -----

// Layers by name.
// NAMED-LABEL: func.func @named
// NAMED-NOT: vae.weight_type
// NAMED: return
// ENDS-LABEL: func.func @named
// ENDS: vae.weight_type
func.func @named(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {vae.entry} {
  %w = vae.constant dense<2.0> : tensor<64x64xf32>
  %0 = vae.dense %x, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32> loc("hidden")
  return %0 : tensor<?x64xf32>
}
