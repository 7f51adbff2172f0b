// RUN: vae-opt %s --vae-assign-sparsity=vector-width=16 | FileCheck %s
// RUN: vae-opt %s --vae-assign-sparsity="vector-width=4 sparse=speed" | FileCheck %s --check-prefix=LANES
// RUN: vae-opt %s --vae-assign-sparsity="vector-width=16 word-dots=true sparse=speed" | FileCheck %s --check-prefix=SPEED
// RUN: vae-opt %s --vae-assign-sparsity="sparse=none" | FileCheck %s --check-prefix=NONE
// RUN: not vae-opt %s --vae-assign-sparsity="sparse=all" 2>&1 | FileCheck %s --check-prefix=WRONG
// NONE-NOT: vae.sparsity
// WRONG: error: unknown choice of sparse weights 'all'; choose one of size, speed, none

// Rows of 16 outputs and an input, half of which are zero; single weights; one
// zero, which nobody asks about; and an eighth of them, for which a bitmap is not
// worth it.
// CHECK: vae.dense {{.*}} {vae.sparsity = "rows"}
// CHECK: vae.dense {{.*}} {vae.sparsity = "bitmap"}
// CHECK-NOT: vae.sparsity
// CHECK: vae.dense {{.*}} {vae.sparsity_note = "a bitmap would take 91% of the bytes of all weights"}
// CHECK: vae.dense {{.*}} {vae.precision = "bf16", vae.sparsity_note = "its weights are bf16"}

// A bitmap is for those who want fewer bytes, unless no cache holds the weights.
// SPEED: vae.sparsity = "rows"
// SPEED: vae.sparsity_note = "a bitmap is slower than weights that a cache holds; --sparse=size stores one"
// LANES: vae.sparsity = "rows"
// LANES: vae.sparsity_note = "bitmaps are slow without AVX2; --sparse=size stores one"
func.func @f(%x: tensor<?x8xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %rows = vae.constant dense<[[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0], [3.0, 0.0, 3.0, 0.0, 3.0, 0.0, 3.0, 0.0], [4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0], [5.0, 0.0, 5.0, 0.0, 5.0, 0.0, 5.0, 0.0], [6.0, 0.0, 6.0, 0.0, 6.0, 0.0, 6.0, 0.0], [7.0, 0.0, 7.0, 0.0, 7.0, 0.0, 7.0, 0.0], [8.0, 0.0, 8.0, 0.0, 8.0, 0.0, 8.0, 0.0], [9.0, 0.0, 9.0, 0.0, 9.0, 0.0, 9.0, 0.0], [10.0, 0.0, 10.0, 0.0, 10.0, 0.0, 10.0, 0.0], [11.0, 0.0, 11.0, 0.0, 11.0, 0.0, 11.0, 0.0], [12.0, 0.0, 12.0, 0.0, 12.0, 0.0, 12.0, 0.0], [13.0, 0.0, 13.0, 0.0, 13.0, 0.0, 13.0, 0.0], [14.0, 0.0, 14.0, 0.0, 14.0, 0.0, 14.0, 0.0], [15.0, 0.0, 15.0, 0.0, 15.0, 0.0, 15.0, 0.0], [16.0, 0.0, 16.0, 0.0, 16.0, 0.0, 16.0, 0.0]]> : tensor<16x8xf32>
  %single = vae.constant dense<[[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]> : tensor<16x8xf32>
  %few = vae.constant dense<[[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]> : tensor<16x8xf32>
  %some = vae.constant dense<[[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]> : tensor<16x8xf32>
  %0 = vae.dense %x, %rows : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %1 = vae.dense %x, %single : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %2 = vae.dense %x, %few : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %3 = vae.dense %x, %some : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %4 = vae.dense %x, %single {vae.precision = "bf16"} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %0, %1, %2, %3, %4 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}
