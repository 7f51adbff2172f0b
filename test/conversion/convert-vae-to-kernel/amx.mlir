// RUN: vae-opt %s --convert-vae-to-kernel="vector-width=16 vector-registers=32 bf16-dot=true amx-bf16=true" --split-input-file | FileCheck %s --check-prefix=BF16
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1 layers=int8" --convert-vae-to-kernel="vector-width=16 vector-registers=32 vnni=true amx-int8=true" --split-input-file | FileCheck %s --check-prefix=INT8
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:1 layers=int8" --convert-vae-to-kernel="vector-width=16 vector-registers=32 vnni=true" --split-input-file | FileCheck %s --check-prefix=VECTORS
// VECTORS-NOT: tile

// 100 inputs of bf16 are three tiles and a part of one, in rows of 128 whose
// scratch is for 32 positions. One position uses tiles, too.
// BF16-LABEL: func.func @dense
// BF16: func.func private @dense_i100_o40_bf16(
// BF16-SAME: kernel.scratch = 8192
// BF16: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// BF16: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// BF16: llvm.call_intrinsic "llvm.x86.tilerelease"
// BF16-NOT: dpbf16ps.512

// One position of bytes is multiplied by vectors, several are by tiles.
// INT8-LABEL: func.func @dense
// INT8: func.func private @dense_i100_o40_int8{{[^.]*}}(
// INT8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// INT8: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// INT8: llvm.call_intrinsic "llvm.x86.tdpbusd"
// INT8: llvm.call_intrinsic "llvm.x86.tilerelease"
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @dense(%x: tensor<?x100xf32> {vae.name = "x"}) -> tensor<?x40xf32> attributes {vae.entry} {
    %w = vae.constant dense<1.0> : tensor<40x100xf32>
    %0 = vae.dense %x, %w {vae.precision = "bf16"} : (tensor<?x100xf32>, tensor<40x100xf32>) -> tensor<?x40xf32>
    return %0 : tensor<?x40xf32>
  }
}

// -----

// What four rows of 32 windows of 32 channels cover: 6 rows of 34 pixels.
// BF16-LABEL: func.func @conv
// BF16: func.func private @conv_i32_o16_k3x3_s1x1_d1x1_bf16(
// BF16-SAME: kernel.scratch = 13056
// BF16: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// INT8-LABEL: func.func @conv
// INT8: func.func private @conv_i32_o16_k3x3_s1x1_d1x1_int8{{[^.]*}}(
// INT8-NOT: vpdpbusd
// INT8: llvm.call_intrinsic "llvm.x86.tdpbusd"
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @conv(%x: tensor<?x32x40x40xf32, #vae.layout<channels_last>> {vae.name = "x"}) -> tensor<?x16x38x38xf32, #vae.layout<channels_last>> attributes {vae.entry} {
    %w = vae.constant dense<1.0> : tensor<16x32x3x3xf32>
    %0 = vae.conv2d %x, %w {vae.precision = "bf16"} : (tensor<?x32x40x40xf32, #vae.layout<channels_last>>, tensor<16x32x3x3xf32>) -> tensor<?x16x38x38xf32, #vae.layout<channels_last>>
    return %0 : tensor<?x16x38x38xf32, #vae.layout<channels_last>>
  }
}
