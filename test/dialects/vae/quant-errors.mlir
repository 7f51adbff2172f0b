// Constraint (G4): which tensors may be quantized.
// RUN: vae-opt %s --split-input-file --verify-diagnostics

!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @per_unit_scales(%x: tensor<?x3x!u8>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.dense' op (G4) a layer with quantized x needs 'vae.weight_type' of i8<-127:127> with a scale for each output unit}}
  %y = vae.dense %x, %w : (tensor<?x3x!u8>, tensor<2x3xf32>) -> tensor<?x2xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @other_weight_integers(%x: tensor<?x3x!u8>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.weight_type' with a scale for each output unit must be of i8<-127:127>}}
  %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-7:7>:f32:0, {0.5, 0.5}>} : (tensor<?x3x!u8>, tensor<2x3xf32>) -> tensor<?x2xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @result_of_f32_data(%x: tensor<?x3xf32>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.dense' op (G4) residual and result are quantized only where x is}}
  %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5}>} : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @residual_of_f32_data(%x: tensor<?x3xf32>, %w: tensor<2x3xf32>, %r: tensor<?x2x!u8>) {
  // expected-error@+1 {{'vae.dense' op (G4) residual and result are quantized only where x is}}
  %y = vae.dense %x, %w residual(%r) : (tensor<?x3xf32>, tensor<2x3xf32>, tensor<?x2x!u8>) -> tensor<?x2xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @weight(%x: tensor<?x3xf32>, %w: tensor<2x3x!u8>) {
  // expected-error@+1 {{'vae.dense' op (G4) weight and bias must be f32, found 'tensor<2x3x!quant.uniform<u8:f32, 5.000000e-01:10>>'}}
  %y = vae.dense %x, %w : (tensor<?x3xf32>, tensor<2x3x!u8>) -> tensor<?x2xf32>
  return
}
// -----
!i8 = !quant.uniform<i8:f32, 0.5>
func.func @other_integers(%x: tensor<?x3x!i8>) {
  // expected-error@+1 {{'vae.reshape' op (G4) quantized tensors are of !quant.uniform<u8:f32, s:z>, found 'tensor<?x3x!quant.uniform<i8:f32, 5.000000e-01>>'}}
  %y = vae.reshape %x {shape = array<i64: 3, 1>} : (tensor<?x3x!i8>) -> tensor<?x3x1x!i8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @no_form(%x: tensor<?x3x!u8>) {
  // expected-error@+1 {{'vae.activation' op (G4) has no form for quantized tensors}}
  %y = vae.activation %x <relu> : (tensor<?x3x!u8>) -> tensor<?x3x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @bilinear(%x: tensor<?x3x2x2x!u8>) {
  // expected-error@+1 {{'vae.upsample' op (G4) has no form for quantized tensors}}
  %y = vae.upsample %x {mode = #vae.resize<bilinear>, scale = array<i64: 2, 2>} : (tensor<?x3x2x2x!u8>) -> tensor<?x3x4x4x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @average(%x: tensor<?x3x2x2x!u8>) {
  // expected-error@+1 {{'vae.pool2d' op (G4) has no form for quantized tensors}}
  %y = vae.pool2d %x {kind = #vae.pool<avg>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x3x2x2x!u8>) -> tensor<?x3x1x1x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @pad_with_one(%x: tensor<?x3x2x2x!u8>) {
  // expected-error@+1 {{'vae.pad' op (G4) has no form for quantized tensors}}
  %y = vae.pad %x {padding = array<i64: 0, 0, 1, 1>, value = 1.0 : f32} : (tensor<?x3x2x2x!u8>) -> tensor<?x3x3x3x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
!v8 = !quant.uniform<u8:f32, 0.5:9>
func.func @two_types(%x: tensor<?x3x!u8>, %y: tensor<?x3x!v8>) {
  // expected-error@+1 {{'vae.concat' op (G4) operands and result must be quantized alike, found 'tensor<?x3x!quant.uniform<u8:f32, 5.000000e-01:9>>' and}}
  %z = vae.concat %x, %y {axis = 1} : (tensor<?x3x!u8>, tensor<?x3x!v8>) -> tensor<?x6x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @reshape_to_f32(%x: tensor<?x4x!u8>) {
  // expected-error@+1 {{'vae.reshape' op (G4) operands and result must be quantized alike}}
  %y = vae.reshape %x {shape = array<i64: 2, 2>} : (tensor<?x4x!u8>) -> tensor<?x2x2xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
!v8 = !quant.uniform<u8:f32, 0.5:9>
func.func @requantize(%x: tensor<?x4x!u8>) {
  // expected-error@+1 {{'vae.convert_layout' op (G4) quantizes f32 or f16 or gives it, found 'tensor<?x4x!quant.uniform<u8:f32, 5.000000e-01:10>>' and 'tensor<?x4x!quant.uniform<u8:f32, 5.000000e-01:9>>'}}
  %y = vae.convert_layout %x : (tensor<?x4x!u8>) -> tensor<?x4x!v8>
  return
}
// -----
func.func @weight_type_on_another_axis(%x: tensor<?x3xf32>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.weight_type' must have 2 scales on axis 0}}
  %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.5, 0.5}>} : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32>
  return
}
// -----
func.func @weight_type_of_no_layer(%x: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.weight_type' belongs to a layer with weights}}
  %y = vae.activation %x <relu> {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.5}>} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @weight_type_that_is_no_type(%x: tensor<?x3xf32>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.weight_type' is a type of signed integers with a scale for each output unit or block of one, found "int8"}}
  %y = vae.dense %x, %w {vae.weight_type = "int8"} : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32>
  return
}
// -----
func.func @weight_type_with_zero_points(%x: tensor<?x3xf32>, %w: tensor<2x3xf32>) {
  // expected-error@+1 {{'vae.weight_type' must have zero points of 0}}
  %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5:1}>} : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32>
  return
}
// -----
func.func @weight_of_lower_rank(%x: tensor<?x4x8x8xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C2)}}
  %y = vae.conv_transpose2d %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:1, {0.5}>} : (tensor<?x4x8x8xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @attention_of_f32_values(%q: tensor<?x4x8x!u8>, %v: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.attention' op (C6) query, key and value must all be quantized or none, found}}
  %y = vae.attention %q, %q, %v {scale = 1.0 : f64} : (tensor<?x4x8x!u8>, tensor<?x4x8x!u8>, tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @attention_of_f32(%q: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.attention' op (C6) the result is quantized only where query, key and value are}}
  %y = vae.attention %q, %q, %q {scale = 1.0 : f64} : (tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4x8xf32>) -> tensor<?x4x8x!u8>
  return
}
// -----
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @attention_with_negative_scale(%q: tensor<?x4x8x!u8>) {
  // expected-error@+1 {{'vae.attention' op (C7) cannot multiply integers: its scale is negative}}
  %y = vae.attention %q, %q, %q {scale = -1.0 : f64} : (tensor<?x4x8x!u8>, tensor<?x4x8x!u8>, tensor<?x4x8x!u8>) -> tensor<?x4x8xf32>
  return
}
// -----
// With a channel less a head they could not.
!u8 = !quant.uniform<u8:f32, 0.5:10>
func.func @attention_of_large_heads(%q: tensor<?x4x65794x!u8>) {
  // expected-error@+1 {{'vae.attention' op (C7) cannot multiply integers: sums could exceed 32 bits}}
  %y = vae.attention %q, %q, %q {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x4x65794x!u8>, tensor<?x4x65794x!u8>, tensor<?x4x65794x!u8>) -> tensor<?x4x65794xf32>
  return
}
