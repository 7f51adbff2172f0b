// Without the range of one operand, none becomes integers.
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=q:-1:1,k:-2:2 layers=int8" -o %t 2>&1 | FileCheck %s --check-prefix=WARNING
// RUN: FileCheck %s --input-file=%t
// WARNING: warning: {{.*}}layer 'attn' does not multiply integers: there is no range of its data, 'v'
// CHECK-NOT: quant.uniform
// CHECK: vae.attention %arg0, %arg1, %arg2 {{.*}} vae.quantize_note = "no range of its data is known"}
func.func @encode(%q: tensor<?x4x8xf32> {vae.name = "q"}, %k: tensor<?x4x8xf32> {vae.name = "k"}, %v: tensor<?x4x8xf32> {vae.name = "v"}) -> tensor<?x4x8xf32> attributes {vae.entry} {
  %0 = vae.attention %q, %k, %v {scale = 1.0 : f64} : (tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4x8xf32>) -> tensor<?x4x8xf32> loc("attn")
  return %0 : tensor<?x4x8xf32>
}
