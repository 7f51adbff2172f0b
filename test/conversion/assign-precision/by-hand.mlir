// `layers` decides about the ends and the heads, and about single layers; where there
// is no form, they stay f32.
// RUN: vae-opt %s --vae-assign-precision="precision=bfp16 layers=conv1=bf16,conv2=f32,conv3=mixed,conv4=bf16" | FileCheck %s
// RUN: vae-opt %s --vae-assign-precision="layers=conv2=mixed" | FileCheck %s --check-prefix=ONE
// RUN: vae-opt %s --vae-assign-precision="precision=bfp16 word-dots=false layers=conv1=bf16" 2>&1 | FileCheck %s --check-prefix=WORDS

// CHECK: vae.conv2d {{.*}}vae.precision = "bf16"
// CHECK-NEXT: vae.conv2d
// CHECK-NOT: vae.precision
// CHECK-SAME: vae.algorithm = "winograd4"}
// CHECK-NEXT: vae.conv2d {{.*}}vae.algorithm = "winograd4", vae.precision = "bfp16"
// CHECK-NEXT: vae.conv2d
// CHECK-NOT: vae.precision
// CHECK: return
// ONE: vae.conv2d
// ONE-NOT: vae.precision
// ONE: vae.conv2d {{.*}}vae.precision = "bfp16"
// ONE-NOT: vae.precision
// ONE: return
// WORDS: warning: no CPU of this library multiplies pairs of 16-bit integers
// WORDS: vae.conv2d {{.*}}vae.precision = "bf16"
// WORDS-NOT: vae.precision
// WORDS: return
func.func @encode(%x: tensor<?x8x9x9xf32>) -> tensor<?x8x9x9xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x8x3x3xf32>
  %w1 = vae.constant dense<2.0> : tensor<8x8x3x3xf32>
  %w2 = vae.constant dense<3.0> : tensor<8x8x3x3xf32>
  %w3 = vae.constant dense<4.0> : tensor<8x8x3x3xf32>
  %0 = vae.conv2d %x, %w0 {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32> loc("conv1")
  %1 = vae.conv2d %0, %w1 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32> loc("conv2")
  %2 = vae.conv2d %1, %w2 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32> loc("conv3")
  %3 = vae.conv2d %2, %w3 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32> loc("conv4")
  return %3 : tensor<?x8x9x9xf32>
}
