// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel | FileCheck %s
// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel="vector-width=16 vector-registers=32 vnni=true" | FileCheck %s --check-prefix=VNNI
// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel="vector-width=4 vector-registers=32 byte-dots=true" | FileCheck %s --check-prefix=SIGNED

// Keys and values are packed bytes, 64 of them at a time: of each head of 4
// channels, 64 * (1 + 1) bytes for 16 of them; of values of 8
// channels, which are 16 there, 64 bytes 17 times. Nothing has the size of the
// scores.
// CHECK-LABEL: func.func @image
// CHECK: %[[K:.*]] = kernel.launch @pack_int8_keys_h2_c4_i8x3({{.*}} -> tensor<?x1024xi8>
// CHECK: %[[V:.*]] = kernel.launch @pack_int8_values_h2_c8_i8x3({{.*}} -> tensor<?x2176xi8>
// CHECK: kernel.launch @attention_int8_h2_c4_v8_i8x7(%{{.*}}, %[[K]], %[[V]], %{{.*}}) sizes
// Fours of channels or of values are multiplied in pairs, by VNNI, or by a dot
// product of signed bytes, for which the values are summed up.
// VNNI-LABEL: func.func private @pack_int8_values_h2_c8_i8x3(
// VNNI-NOT: vpdpbusd
// VNNI-LABEL: func.func private @attention_int8_h2_c4_v8_i8x7(
// VNNI: llvm.x86.avx512.vpdpbusd.512
// SIGNED-LABEL: func.func private @pack_int8_values_h2_c8_i8x3(
// SIGNED: llvm.aarch64.neon.sdot
!q = !quant.uniform<u8:f32, 0.5:10>
func.func @image(%q: tensor<?x8x?x?x!q>, %k: tensor<?x8x10x6x!q>, %v: tensor<?x16x10x6x!q>) -> tensor<?x16x?x?xf32> attributes {vae.entry} {
  %0 = vae.attention %q, %k, %v {heads = 2 : i64, scale = 0.5 : f64} : (tensor<?x8x?x?x!q>, tensor<?x8x10x6x!q>, tensor<?x16x10x6x!q>) -> tensor<?x16x?x?xf32>
  return %0 : tensor<?x16x?x?xf32>
}
