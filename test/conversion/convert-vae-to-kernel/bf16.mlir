// RUN: vae-opt %s --convert-vae-to-kernel="vector-width=16 vector-registers=32 bf16-dot=true" | FileCheck %s --check-prefixes=CHECK,DOT
// RUN: vae-opt %s --convert-vae-to-kernel="vector-width=8" | FileCheck %s --check-prefixes=CHECK,SHIFT

// Two bytes a weight: 5 inputs are 3 pairs, of 16 outputs each; 16 biases, 5
// inputs and 5 outputs an example.
// CHECK-DAG: affine_map<()[s0] -> (s0 * 50, (s0 * 10 + 64) * 4)>
// CHECK-LABEL: func.func @dense
// CHECK: vae.constant {{.*}} : tensor<96xbf16>
// CHECK: kernel.launch @dense_i5_o5_bf16
// CHECK: func.func private @dense_i5_o5_bf16{{.*}}(%{{.*}}: memref<?xf32>, %{{.*}}: memref<?xbf16>, %{{.*}}: memref<?xf32>
// DOT: memref.alloca() {alignment = 64 : i64} : memref<104xi32>
// DOT: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// DOT: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// SHIFT-NOT: dpbf16ps
// SHIFT: arith.shli
// SHIFT: vector.fma
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @dense(%x: tensor<?x5xf32>) -> tensor<?x5xf32> attributes {vae.entry} {
    %w = vae.constant dense<1.0> : tensor<5x5xf32>
    %b = vae.constant dense<1.0> : tensor<5xf32>
    %0 = vae.dense %x, %w bias(%b) {vae.precision = "bf16"} : (tensor<?x5xf32>, tensor<5x5xf32>, tensor<5xf32>) -> tensor<?x5xf32>
    return %0 : tensor<?x5xf32>
  }
}
