// RUN: vae-opt %s --vae-quantize="quantize=int8 vector-width=16 vector-registers=32 vnni=true ranges=q:-1:1,k:-2:2,v:0:2,attn:0:1,fc:0:1" --split-input-file | FileCheck %s
// RUN: vae-opt %s --vae-quantize="quantize=int8 vector-width=16 vector-registers=32 vnni=true ranges=q:-1:1,k:-2:2,v:0:2,attn:0:1,fc:0:1 layers=none,attn=int8" --split-input-file | FileCheck %s --check-prefix=ASKED
// Where bytes are multiplied one after the other, f32 is faster.
// RUN: vae-opt %s --vae-quantize="quantize=int8 ranges=q:-1:1,k:-2:2,v:0:2,attn:0:1,fc:0:1" --split-input-file | FileCheck %s --check-prefix=SINGLES

// All three operands become integers, and the result where a layer takes it.
// CHECK-LABEL: func.func @large
// CHECK-DAG: %[[Q:.*]] = vae.convert_layout %arg0 {{.*}} -> tensor<?x1024x512x!quant.uniform<u8:f32, 0.0078431372549019607:128>>
// CHECK-DAG: %[[K:.*]] = vae.convert_layout %arg1 {{.*}} -> tensor<?x1024x512x!quant.uniform<u8:f32, 0.015686274509803921:128>>
// CHECK-DAG: %[[V:.*]] = vae.convert_layout %arg2 {{.*}} -> tensor<?x1024x512x!quant.uniform<u8:f32, 0.0078431372549019607>>
// CHECK: %[[A:.*]] = vae.attention %[[Q]], %[[K]], %[[V]] {{.*}} -> tensor<?x1024x512x!quant.uniform<u8:f32, 0.0039215686274509803>>
// CHECK: vae.dense %[[A]], {{.*}}vae.weight_type
// ASKED-LABEL: func.func @large
// ASKED: %[[A:.*]] = vae.attention {{.*}} -> tensor<?x1024x512xf32>
// ASKED: vae.dense %[[A]], {{.*}}vae.quantize_note = "asked for"
// SINGLES-LABEL: func.func @large
// SINGLES: vae.attention %arg0, %arg1, %arg2 {{.*}} vae.quantize_note = "integers would not be faster"}
func.func @large(%q: tensor<?x1024x512xf32> {vae.name = "q"}, %k: tensor<?x1024x512xf32> {vae.name = "k"}, %v: tensor<?x1024x512xf32> {vae.name = "v"}) -> tensor<?x1024x512xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<512x512xf32>
  %0 = vae.attention %q, %k, %v {scale = 0.044 : f64} : (tensor<?x1024x512xf32>, tensor<?x1024x512xf32>, tensor<?x1024x512xf32>) -> tensor<?x1024x512xf32> loc("attn")
  %1 = vae.dense %0, %w : (tensor<?x1024x512xf32>, tensor<512x512xf32>) -> tensor<?x1024x512xf32> loc("fc")
  return %1 : tensor<?x1024x512xf32>
}

// -----

// CHECK-LABEL: func.func @negative
// CHECK: vae.attention %arg0, %arg0, %arg0 {{.*}} vae.quantize_note = "its scale is negative"}
func.func @negative(%q: tensor<?x1024x512xf32> {vae.name = "q"}) -> tensor<?x1024x512xf32> attributes {vae.entry} {
  %0 = vae.attention %q, %q, %q {scale = -1.0 : f64} : (tensor<?x1024x512xf32>, tensor<?x1024x512xf32>, tensor<?x1024x512xf32>) -> tensor<?x1024x512xf32> loc("attn")
  return %0 : tensor<?x1024x512xf32>
}
