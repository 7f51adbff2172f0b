// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1" 2>&1 | FileCheck %s

// A weight is of one kind in all entry points: without a range in one of them,
// it is f32 in both.
// CHECK: warning: {{.*}}layer 'fc1' does not multiply integers: there is no range of its data, 'unknown'
// CHECK: module
// CHECK-NOT: vae.precision
// CHECK-LABEL: func.func @known
// CHECK: vae.dense %arg0, {{.*}} {vae.quantize_note = "no range of its data is known"}
// CHECK-LABEL: func.func @unknown
// CHECK: vae.dense %arg0, {{.*}} {vae.quantize_note = "no range of its data is known"}
func.func @known(%x: tensor<?x4xf32> {vae.name = "x"}) -> tensor<?x8xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x4xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32> loc("fc1")
  return %0 : tensor<?x8xf32>
}
func.func @unknown(%x: tensor<?x4xf32> {vae.name = "unknown"}) -> tensor<?x8xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x4xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32> loc("fc1")
  return %0 : tensor<?x8xf32>
}
