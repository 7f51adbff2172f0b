// RUN: vae-opt %s --convert-vae-to-kernel="vector-width=16 vector-registers=32" --kernel-plan-memory | FileCheck %s
// RUN: vae-opt %s --convert-vae-to-kernel="vector-width=8" --kernel-plan-memory --convert-kernel-to-llvm | FileCheck %s --check-prefix=ENTRY

// Two bytes an element of the arena, and of weights: 512 inputs, each a weight of
// 16 outputs. The name of a kernel tells which of its buffers are f16.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<()[s0] -> (s0 * 1024)>
// CHECK-DAG: #[[COST:.*]] = affine_map<()[s0] -> (s0 * 16384, (s0 * 272 + 4096) * 4)>
// CHECK-LABEL: func.func @dense
// CHECK-SAME: bytes = #[[BYTES]], live = array<i64: 0, 1>
// CHECK: kernel.launch @relu_f16x2
// CHECK: vae.constant {{.*}} : tensor<8192xf16>
// CHECK: kernel.launch @dense_i512_o16_f16x3({{.*}} cost #[[COST]]
// CHECK: kernel.launch @dense_i16_o16(

// What stores f16 asks whether a number is beyond it, and says so.
// CHECK: func.func private @relu_f16x2(%{{.*}}: memref<?xf32>, %{{.*}}: memref<?xf16>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[GUARD:.*]]: memref<?xi32>)
// CHECK-SAME: kernel.guard
// CHECK: arith.cmpf oge
// CHECK: vector.reduction <or>
// CHECK: memref.store %{{.*}}, %[[GUARD]]
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xf16>

// Inputs become f32 in a table, weights in registers.
// CHECK: func.func private @dense_i512_o16_f16x3(%{{.*}}: memref<?xf16>, %{{.*}}: memref<?xf16>, %{{.*}}: memref<?xf32>
// CHECK-NOT: kernel.guard
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}xf32>
// CHECK: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>

// The first layer that clamped is named, for callers that have a place for it.
// ENTRY: llvm.mlir.global internal constant @vae_name.first("first\00")
// ENTRY-LABEL: func.func @vae_entry_dense(
// ENTRY: call @vae_note_clamped
// ENTRY-NOT: call @vae_note_clamped
// ENTRY: return
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @dense(%x: tensor<?x512xf32>) -> tensor<?x16xf32> attributes {vae.entry} {
    %w = vae.constant dense<1.0> : tensor<16x512xf32>
    %v = vae.constant dense<1.0> : tensor<16x16xf32>
    %0 = vae.activation %x <relu> : (tensor<?x512xf32>) -> tensor<?x512xf16> loc("first")
    %1 = vae.dense %0, %w {vae.storage = "f16"} : (tensor<?x512xf16>, tensor<16x512xf32>) -> tensor<?x16xf32>
    %2 = vae.dense %1, %v : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    return %2 : tensor<?x16xf32>
  }
}
