// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel | FileCheck %s

// Keys are packed for 64 at a time; nothing has the size of the scores. An
// image's pixels are the positions.
// CHECK-LABEL: func.func @image
// CHECK: %[[K:.*]] = kernel.launch @pack_keys_h2_c4(%{{.*}}) sizes {{.*}} elements {{.*}} : (tensor<?x8x10x10xf32, #vae.layout<channels_last>>) -> tensor<?x1024xf32>
// CHECK: kernel.launch @attention_h2_c4_v8_{{[0-9a-f]*}}(%{{.*}}, %[[K]], %{{.*}}) sizes
// The scratch of a thread: 6 queries with 64 scores each.
// CHECK-LABEL: func.func private @attention_h2_c4_v8_
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<384xf32>
func.func @image(%q: tensor<?x8x?x?xf32>, %k: tensor<?x8x10x10xf32>, %v: tensor<?x16x10x10xf32>) -> tensor<?x16x?x?xf32> attributes {vae.entry} {
  %0 = vae.attention %q, %k, %v {heads = 2 : i64, scale = 0.5 : f64} : (tensor<?x8x?x?xf32>, tensor<?x8x10x10xf32>, tensor<?x16x10x10xf32>) -> tensor<?x16x?x?xf32>
  return %0 : tensor<?x16x?x?xf32>
}
