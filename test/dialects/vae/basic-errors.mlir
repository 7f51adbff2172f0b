// Every numbered constraint of the dialect (G) and of each operation (C).
// RUN: vae-opt %s --verify-diagnostics --split-input-file

func.func @g1_rank(%x: tensor<f32>) {
  // expected-error@+1 {{'vae.activation' op (G1) tensors must have an axis, found rank 0}}
  %y = vae.activation %x <relu> : (tensor<f32>) -> tensor<f32>
  return
}
// -----
func.func @g1_ranked(%x: tensor<*xf32>) {
  // expected-error@+1 {{'vae.activation' op operand #0 must be ranked tensor of any type values, but got 'tensor<*xf32>'}}
  %y = vae.activation %x <relu> : (tensor<*xf32>) -> tensor<*xf32>
  return
}
// -----
func.func @g2_empty(%x: tensor<?x0xf32>) {
  // expected-error@+1 {{'vae.activation' op (G2) dimensions must be positive, found 0}}
  %y = vae.activation %x <relu> : (tensor<?x0xf32>) -> tensor<?x0xf32>
  return
}
// -----
func.func @g2_huge(%x: tensor<?x2097152x1048576xf32>) {
  // expected-error@+1 {{'vae.activation' op (G2) a tensor must have at most 1099511627776 elements}}
  %y = vae.activation %x <relu> : (tensor<?x2097152x1048576xf32>) -> tensor<?x2097152x1048576xf32>
  return
}
// -----
func.func @g2_huge_result(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.reshape' op (G2) a tensor must have at most 1099511627776 elements}}
  %y = vae.reshape %x {shape = array<i64: 1048576, 1048576, 1048576>} : (tensor<?x4x8x8xf32>) -> tensor<?x1048576x1048576x1048576xf32>
  return
}
// -----
func.func @g2_number(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.upsample' op (C2) scale must be two positive numbers, at most 1048576}}
  %y = vae.upsample %x {scale = array<i64: 1048577, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @g3_shape(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.activation' op (G3) result 0 must be 'tensor<?x4xf32>', found 'tensor<?x3xf32>'}}
  %y = vae.activation %x <relu> : (tensor<?x4xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @g3_element(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.activation' op (G3) result 0 must be 'tensor<?x4xf32>', found 'tensor<?x4xf64>'}}
  %y = vae.activation %x <relu> : (tensor<?x4xf32>) -> tensor<?x4xf64>
  return
}
// -----
func.func @g3_count(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.split' op (G3) must have 4 results, found 2}}
  %y:2 = vae.split %x {axis = 1, sections = 4} : (tensor<?x4xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>)
  return
}
// -----
func.func @constant_c1() {
  // expected-error@+1 {{'vae.constant' op failed to verify that (C1) the type of the value is the type of the result}}
  %y = "vae.constant"() <{value = dense<1.0> : tensor<2xf32>}> : () -> tensor<3xf32>
  return
}
// -----
func.func @dense_c1(%x: tensor<4xf32>, %w: tensor<3x4xf32>) {
  // expected-error@+1 {{'vae.dense' op (C1) x must have rank >= 2, found rank 1}}
  %y = vae.dense %x, %w : (tensor<4xf32>, tensor<3x4xf32>) -> tensor<3xf32>
  return
}
// -----
func.func @dense_c2_inputs(%x: tensor<?x4xf32>, %w: tensor<3x5xf32>) {
  // expected-error@+1 {{'vae.dense' op (C2) weight must be static [units, 4], found [3, 5]}}
  %y = vae.dense %x, %w : (tensor<?x4xf32>, tensor<3x5xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @dense_c2_rank(%x: tensor<?x4xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{'vae.dense' op (C2) weight must be static [units, 4], found [4]}}
  %y = vae.dense %x, %w : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @dense_c2_dynamic(%x: tensor<?x4xf32>, %w: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.dense' op (C2) weight must be static [units, 4], found [?, 4]}}
  %y = vae.dense %x, %w : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @dense_c3(%x: tensor<?x4xf32>, %w: tensor<3x4xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'vae.dense' op (C3) bias must be static [3], found 'tensor<4xf32>'}}
  %y = vae.dense %x, %w bias(%b) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @dense_c4(%x: tensor<?x4xf32>, %w: tensor<3x4xf32>) {
  // expected-error@+1 {{'vae.dense' op (C4) residual must have the shape of the result, found 'tensor<?x4xf32>'}}
  %y = vae.dense %x, %w residual(%x) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<?x4xf32>) -> tensor<?x3xf32>
  return
}
// -----
func.func @conv2d_c1(%x: tensor<?x4x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.conv2d %x, %w : (tensor<?x4x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c2_channels(%x: tensor<?x4x8x8xf32>, %w: tensor<6x5x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C2) weight must be static [O, C/groups, KH, KW] with C = 4 and groups = 1 dividing C and O, found [6, 5, 3, 3]}}
  %y = vae.conv2d %x, %w : (tensor<?x4x8x8xf32>, tensor<6x5x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c2_groups(%x: tensor<?x4x8x8xf32>, %w: tensor<6x1x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C2) weight must be static [O, C/groups, KH, KW] with C = 4 and groups = 4 dividing C and O, found [6, 1, 3, 3]}}
  %y = vae.conv2d %x, %w {groups = 4} : (tensor<?x4x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c3(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C3) bias must be static [6], found 'tensor<4xf32>'}}
  %y = vae.conv2d %x, %w bias(%b) : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<4xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c4(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C4) residual must have the shape of the result, found 'tensor<?x4x8x8xf32>'}}
  %y = vae.conv2d %x, %w residual(%x) : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<?x4x8x8xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c5_strides(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C5) strides and dilations must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.conv2d %x, %w {strides = array<i64: 0, 1>} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c5_dilations(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C5) strides and dilations must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.conv2d %x, %w {dilations = array<i64: 1>} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c5_padding(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C5) strides and dilations must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.conv2d %x, %w {padding = array<i64: 0, 0, -1, 0>} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv2d_c6(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'vae.conv2d' op (C6) the kernel covers 9 elements, the padded input has 8 on axis 3}}
  %y = vae.conv2d %x, %w {dilations = array<i64: 1, 4>} : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}
// -----
func.func @conv_transpose2d_c1(%x: tensor<?x4x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.conv_transpose2d %x, %w : (tensor<?x4x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c2_channels(%x: tensor<?x4x8x8xf32>, %w: tensor<5x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C2) weight must be static [C, O/groups, KH, KW] with C = 4 and groups = 1 dividing C, found [5, 6, 3, 3]}}
  %y = vae.conv_transpose2d %x, %w : (tensor<?x4x8x8xf32>, tensor<5x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c2_groups(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C2) weight must be static [C, O/groups, KH, KW] with C = 4 and groups = 3 dividing C, found [4, 6, 3, 3]}}
  %y = vae.conv_transpose2d %x, %w {groups = 3} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c3(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C3) bias must be static [12], found 'tensor<6xf32>'}}
  %y = vae.conv_transpose2d %x, %w bias(%b) {groups = 2} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>, tensor<6xf32>) -> tensor<?x12x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c4(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C4) residual must have the shape of the result, found 'tensor<?x4x8x8xf32>'}}
  %y = vae.conv_transpose2d %x, %w residual(%x) : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>, tensor<?x4x8x8xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c5_strides(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C5) strides and dilations must be two positive numbers, padding four and output_padding two numbers >= 0, at most 1048576}}
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 0, 1>} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c5_padding(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C5) strides and dilations must be two positive numbers, padding four and output_padding two numbers >= 0, at most 1048576}}
  %y = vae.conv_transpose2d %x, %w {padding = array<i64: 0, 0>} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c5_output_padding(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C5) strides and dilations must be two positive numbers, padding four and output_padding two numbers >= 0, at most 1048576}}
  %y = vae.conv_transpose2d %x, %w {output_padding = array<i64: 0, -1>} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @conv_transpose2d_c6(%x: tensor<?x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error@+1 {{'vae.conv_transpose2d' op (C6) nothing is left of axis 2 after the padding is cut off}}
  %y = vae.conv_transpose2d %x, %w {padding = array<i64: 5, 0, 5, 0>} : (tensor<?x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x6x10x10xf32>
  return
}
// -----
func.func @batch_norm_c1(%x: tensor<?xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C1) x must have rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.batch_norm %x, %c, %c {epsilon = 1.0e-3 : f64} : (tensor<?xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @batch_norm_c2_mean(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C2) mean must be static [4], found 'tensor<3xf32>'}}
  %y = vae.batch_norm %x, %d, %c {epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>, tensor<3xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @batch_norm_c2_variance(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C2) variance must be static [4], found 'tensor<3xf32>'}}
  %y = vae.batch_norm %x, %c, %d {epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @batch_norm_c2_weight(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C2) weight must be static [4], found 'tensor<3xf32>'}}
  %y = vae.batch_norm %x, %c, %c weight(%d) {epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @batch_norm_c2_bias(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C2) bias must be static [4], found 'tensor<3xf32>'}}
  %y = vae.batch_norm %x, %c, %c bias(%d) {epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @batch_norm_c3(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.batch_norm' op (C3) epsilon must be >= 0}}
  %y = vae.batch_norm %x, %c, %c {epsilon = -1.0 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @group_norm_c1(%x: tensor<?xf32>) {
  // expected-error@+1 {{'vae.group_norm' op (C1) x must have rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.group_norm %x {groups = 1, epsilon = 1.0e-3 : f64} : (tensor<?xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @group_norm_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.group_norm' op (C2) 3 groups do not divide 4 channels}}
  %y = vae.group_norm %x {groups = 3, epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @group_norm_c3(%x: tensor<?x4x8x8xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.group_norm' op (C3) weight must be static [4], found 'tensor<3xf32>'}}
  %y = vae.group_norm %x weight(%d) {groups = 2, epsilon = 1.0e-3 : f64} : (tensor<?x4x8x8xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @group_norm_c4(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.group_norm' op (C4) epsilon must be >= 0}}
  %y = vae.group_norm %x {groups = 2, epsilon = -1.0 : f64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @layer_norm_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.layer_norm' op (C1) axes must be in 1..1}}
  %y = vae.layer_norm %x {axes = 2, epsilon = 1.0e-3 : f64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @layer_norm_c2(%x: tensor<?x4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.layer_norm' op (C2) weight and bias must be static and have the shape of the last axes, found 'tensor<3xf32>'}}
  %y = vae.layer_norm %x weight(%d) {epsilon = 1.0e-3 : f64} : (tensor<?x4xf32>, tensor<3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @layer_norm_c3(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.layer_norm' op (C3) epsilon must be >= 0}}
  %y = vae.layer_norm %x {epsilon = -1.0 : f64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @channel_affine_c1(%x: tensor<?xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.channel_affine' op (C1) x must have rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.channel_affine %x, %c, %c : (tensor<?xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @channel_affine_c2_scale(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.channel_affine' op (C2) scale must be static [4], found 'tensor<3xf32>'}}
  %y = vae.channel_affine %x, %d, %c : (tensor<?x4x8x8xf32>, tensor<3xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @channel_affine_c2_offset(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.channel_affine' op (C2) offset must be static [4], found 'tensor<3xf32>'}}
  %y = vae.channel_affine %x, %c, %d : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @prelu_c1(%x: tensor<?xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.prelu' op (C1) x must have rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.prelu %x, %c : (tensor<?xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @prelu_c2(%x: tensor<?x4x8x8xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{'vae.prelu' op (C2) slope must be static [4], found 'tensor<3xf32>'}}
  %y = vae.prelu %x, %d : (tensor<?x4x8x8xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @add_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.add' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.add %x, %z : (tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @sub_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.sub' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.sub %x, %z : (tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @mul_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.mul' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.mul %x, %z : (tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @add_c1_rank(%x: tensor<?x4xf32>, %z: tensor<?x4x1xf32>) {
  // expected-error@+1 {{'vae.add' op (C1) operands must have the same shape}}
  %y = vae.add %x, %z : (tensor<?x4xf32>, tensor<?x4x1xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @softmax_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.softmax' op (C1) axis must be in 1..1}}
  %y = vae.softmax %x {axis = 0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @dropout_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.dropout' op (C1) rate must be in [0, 1)}}
  %y = vae.dropout %x {rate = 1.0 : f64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @dropout_c1_nan(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.dropout' op (C1) rate must be in [0, 1)}}
  %y = vae.dropout %x {rate = 0x7FF8000000000000 : f64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @upsample_c1(%x: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.upsample' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return
}
// -----
func.func @upsample_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.upsample' op (C2) scale must be two positive numbers, at most 1048576}}
  %y = vae.upsample %x {scale = array<i64: 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @pool2d_c1(%x: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x4x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @pool2d_c2_kernel(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C2) kernel and strides must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 0, 2>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @pool2d_c2_strides(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C2) kernel and strides must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @pool2d_c2_padding(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C2) kernel and strides must be two positive numbers, padding four numbers >= 0, at most 1048576}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: -1, 0, 0, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @pool2d_c3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C3) padding must be less than the kernel}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 2, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @pool2d_c4(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pool2d' op (C4) the kernel does not fit into axis 3}}
  %y = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 9>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return
}
// -----
func.func @global_pool_c1(%x: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.global_pool' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.global_pool %x {kind = #vae.pool<avg>} : (tensor<?x4x8xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @concat_c1() {
  // expected-error@+1 {{'vae.concat' op (C1) needs an operand}}
  %y = "vae.concat"() <{axis = 1 : i64}> : () -> tensor<?x4xf32>
  return
}
// -----
func.func @concat_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.concat' op (C2) axis 2 is not in 1..1}}
  %y = vae.concat %x, %x {axis = 2} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @concat_c3_rank(%x: tensor<?x4xf32>, %z: tensor<?x4x1xf32>) {
  // expected-error@+1 {{'vae.concat' op (C3) operands must have the same rank}}
  %y = vae.concat %x, %z {axis = 1} : (tensor<?x4xf32>, tensor<?x4x1xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @concat_c3_axes(%x: tensor<?x4x2xf32>, %z: tensor<?x4x3xf32>) {
  // expected-error@+1 {{'vae.concat' op (C3) operands differ on axis 2: 2 and 3}}
  %y = vae.concat %x, %z {axis = 1} : (tensor<?x4x2xf32>, tensor<?x4x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @split_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.split' op (C1) axis 0 is not in 1..1}}
  %y = vae.split %x {axis = 0, sections = 1} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @split_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.split' op (C2) 3 sections do not divide 4}}
  %y:3 = vae.split %x {axis = 1, sections = 3} : (tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return
}
// -----
func.func @split_c2_dynamic(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'vae.split' op (C2) 1 sections do not divide ?}}
  %y = vae.split %x {axis = 1, sections = 1} : (tensor<?x?xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @slice_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.slice' op (C1) axis 2 is not in 1..1}}
  %y = vae.slice %x {axis = 2, begin = 0, size = 1} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @slice_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.slice' op (C2) begin must be >= 0, size and stride positive}}
  %y = vae.slice %x {axis = 1, begin = -1, size = 1} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @slice_c2_stride(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.slice' op (C2) begin must be >= 0, size and stride positive}}
  %y = vae.slice %x {axis = 1, begin = 0, size = 1, stride = 0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @slice_c3(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.slice' op (C3) 2 elements from 1 with stride 3 exceed the axis of 4}}
  %y = vae.slice %x {axis = 1, begin = 1, size = 2, stride = 3} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @crop_c1(%x: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.crop' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.crop %x {border = array<i64: 0, 0, 0, 0>} : (tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return
}
// -----
func.func @crop_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.crop' op (C2) border must be four numbers >= 0, at most 1048576}}
  %y = vae.crop %x {border = array<i64: 0, -1, 0, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @crop_c3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.crop' op (C3) nothing is left of the image}}
  %y = vae.crop %x {border = array<i64: 4, 0, 4, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @pad_c1(%x: tensor<?x4x8xf32>) {
  // expected-error@+1 {{'vae.pad' op (C1) x must be [N, C, H, W] or [N, C, T, H, W], found rank 3}}
  %y = vae.pad %x {padding = array<i64: 0, 0, 0, 0>} : (tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return
}
// -----
func.func @pad_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pad' op (C2) padding must be four numbers >= 0, at most 1048576}}
  %y = vae.pad %x {padding = array<i64: 0, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @reshape_c1_two(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.reshape' op (C1) shape takes positive numbers and at most one -1}}
  %y = vae.reshape %x {shape = array<i64: -1, -1>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @reshape_c1_zero(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.reshape' op (C1) shape takes positive numbers and at most one -1}}
  %y = vae.reshape %x {shape = array<i64: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @reshape_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.reshape' op (C2) an example has 4 elements, the new shape 6}}
  %y = vae.reshape %x {shape = array<i64: 2, 3>} : (tensor<?x4xf32>) -> tensor<?x2x3xf32>
  return
}
// -----
func.func @reshape_c2_rest(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.reshape' op (C2) an example has 4 elements, the new shape 3 times a whole number}}
  %y = vae.reshape %x {shape = array<i64: 3, -1>} : (tensor<?x4xf32>) -> tensor<?x3x1xf32>
  return
}
// -----
func.func @transpose_c1(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.transpose' op (C1) permutation must permute 0..1}}
  %y = vae.transpose %x {permutation = array<i64: 0, 2>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @transpose_c1_short(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.transpose' op (C1) permutation must permute 0..1}}
  %y = vae.transpose %x {permutation = array<i64: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @transpose_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.transpose' op (C2) axis 0, the batch, must stay where it is}}
  %y = vae.transpose %x {permutation = array<i64: 1, 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @convert_layout_g3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.convert_layout' op (G3) result 0 must be 'tensor<?x4x8x8xf32>', found 'tensor<?x8x8x4xf32>'}}
  %y = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x8x8x4xf32>
  return
}
// -----
func.func @reparameterize_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.reparameterize' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.reparameterize %x, %x, %z : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?x4xf32>
  return
}
// -----
func.func @kl_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.kl' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.kl %x, %z : (tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @kl_c2_together(%x: tensor<?x4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.kl' op (C2) prior mean and standard deviation are given together}}
  %y = "vae.kl"(%x, %x, %c) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @kl_c2_mean(%x: tensor<?x4xf32>, %c: tensor<3xf32>) {
  // expected-error@+1 {{'vae.kl' op (C2) prior mean must be static [4], found 'tensor<3xf32>'}}
  %y = vae.kl %x, %x prior(%c, %c) : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @kl_c2_rank(%x: tensor<?xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'vae.kl' op (C2) a prior needs mu of rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.kl %x, %x prior(%c, %c) : (tensor<?xf32>, tensor<?xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @log_likelihood_c1(%x: tensor<?x4xf32>, %z: tensor<?x3xf32>) {
  // expected-error@+1 {{'vae.log_likelihood' op (C1) operands must have the same shape: 4 and 3 on axis 1}}
  %y = vae.log_likelihood %x, %z {likelihood = #vae.likelihood<laplace>} : (tensor<?x4xf32>, tensor<?x3xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @log_likelihood_c2(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.log_likelihood' op (C2) only gaussian takes logvar}}
  %y = vae.log_likelihood %x, %x logvar(%x) {likelihood = #vae.likelihood<laplace>} : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @log_likelihood_c3(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.log_likelihood' op (C3) scale must be positive}}
  %y = vae.log_likelihood %x, %x {likelihood = #vae.likelihood<laplace>, scale = 0.0 : f64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @group_norm_c5(%x: tensor<?x4x8x8xf32>, %r: tensor<?x4x8x7xf32>) {
  // expected-error@+1 {{'vae.group_norm' op (C5) residual must have the shape of x, found 'tensor<?x4x8x7xf32>'}}
  %y = vae.group_norm %x residual(%r) {epsilon = 0.0 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>, tensor<?x4x8x7xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @rms_norm_c1(%x: tensor<?xf32>) {
  // expected-error@+1 {{'vae.rms_norm' op (C1) x must have rank >= 2, found 'tensor<?xf32>'}}
  %y = vae.rms_norm %x {epsilon = 0.0 : f64} : (tensor<?xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @rms_norm_c2(%x: tensor<?x4x8x8xf32>, %c: tensor<3xf32>) {
  // expected-error@+1 {{'vae.rms_norm' op (C2) weight must be static [4], found 'tensor<3xf32>'}}
  %y = vae.rms_norm %x weight(%c) {epsilon = 0.0 : f64} : (tensor<?x4x8x8xf32>, tensor<3xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @rms_norm_c2_static(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'vae.rms_norm' op (C2) axis 1 must be static, found 'tensor<?x?xf32>'}}
  %y = vae.rms_norm %x {epsilon = 0.0 : f64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}
// -----
func.func @rms_norm_c3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.rms_norm' op (C3) epsilon must be >= 0}}
  %y = vae.rms_norm %x {epsilon = -1.0 : f64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @rms_norm_c4(%x: tensor<?x4x8x8xf32>, %r: tensor<?x4xf32>) {
  // expected-error@+1 {{'vae.rms_norm' op (C4) residual must have the shape of x, found 'tensor<?x4xf32>'}}
  %y = vae.rms_norm %x residual(%r) {epsilon = 0.0 : f64} : (tensor<?x4x8x8xf32>, tensor<?x4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @attention_c1(%x: tensor<?x4x8x8xf32>, %s: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.attention' op (C1) operands must all be [N, S, C] or all be [N, C, H, W], found rank 3}}
  %y = vae.attention %x, %s, %s {scale = 1.0 : f64} : (tensor<?x4x8x8xf32>, tensor<?x5x4xf32>, tensor<?x5x4xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @attention_c2(%s: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.attention' op (C2) 3 heads do not divide 4 channels}}
  %y = vae.attention %s, %s, %s {heads = 3 : i64, scale = 1.0 : f64} : (tensor<?x5x4xf32>, tensor<?x5x4xf32>, tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @attention_c3(%s: tensor<?x5x4xf32>, %t: tensor<?x5x2xf32>) {
  // expected-error@+1 {{'vae.attention' op (C3) query has 4 channels, key 2}}
  %y = vae.attention %s, %t, %s {scale = 1.0 : f64} : (tensor<?x5x4xf32>, tensor<?x5x2xf32>, tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @attention_c4(%s: tensor<?x5x4xf32>, %t: tensor<?x6x4xf32>) {
  // expected-error@+1 {{'vae.attention' op (C4) key and value must have the same positions, found [?, 5, 4] and [?, 6, 4]}}
  %y = vae.attention %s, %s, %t {scale = 1.0 : f64} : (tensor<?x5x4xf32>, tensor<?x5x4xf32>, tensor<?x6x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @attention_c4_batch(%s: tensor<1x5x4xf32>, %t: tensor<2x5x4xf32>) {
  // expected-error@+1 {{'vae.attention' op (C4) operands must have the same batch}}
  %y = vae.attention %s, %t, %t {scale = 1.0 : f64} : (tensor<1x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>) -> tensor<1x5x4xf32>
  return
}
// -----
func.func @attention_c5(%s: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.attention' op (C5) scale must be finite}}
  %y = vae.attention %s, %s, %s {scale = 0x7FF0000000000000 : f64} : (tensor<?x5x4xf32>, tensor<?x5x4xf32>, tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @linear_attention_c1(%s: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.linear_attention' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.linear_attention %s {epsilon = 0.0 : f64, head_dim = 1 : i64} : (tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @linear_attention_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.linear_attention' op (C2) query, key and value of 2 channels do not divide 4 channels}}
  %y = vae.linear_attention %x {epsilon = 0.0 : f64, head_dim = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @linear_attention_c3(%x: tensor<?x6x8x8xf32>) {
  // expected-error@+1 {{'vae.linear_attention' op (C3) epsilon must be >= 0}}
  %y = vae.linear_attention %x {epsilon = -1.0 : f64, head_dim = 2 : i64} : (tensor<?x6x8x8xf32>) -> tensor<?x2x8x8xf32>
  return
}
// -----
func.func @nearest_codebook_c1(%x: tensor<?xf32>, %c: tensor<9x4xf32>) {
  // expected-error@+1 {{'vae.nearest_codebook' op (C1) x must have rank >= 2, found rank 1}}
  %y = vae.nearest_codebook %x, %c : (tensor<?xf32>, tensor<9x4xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @nearest_codebook_c2(%x: tensor<?x4x8x8xf32>, %c: tensor<9x3xf32>) {
  // expected-error@+1 {{'vae.nearest_codebook' op (C2) codebook must be static [entries, 4] with at most 16777216 entries, found [9, 3]}}
  %y = vae.nearest_codebook %x, %c : (tensor<?x4x8x8xf32>, tensor<9x3xf32>) -> tensor<?x8x8xf32>
  return
}
// -----
func.func @embedding_c1(%x: tensor<?x8xf32>, %c: tensor<9xf32>) {
  // expected-error@+1 {{'vae.embedding' op (C1) table must be static [entries, channels] with at most 16777216 entries, found [9]}}
  %y = vae.embedding %x, %c : (tensor<?x8xf32>, tensor<9xf32>) -> tensor<?x8xf32>
  return
}
// -----
func.func @glu_c1(%x: tensor<?xf32>) {
  // expected-error@+1 {{'vae.glu' op (C1) x must have rank >= 2, found rank 1}}
  %y = vae.glu %x <silu> : (tensor<?xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @glu_c2(%x: tensor<?x5xf32>) {
  // expected-error@+1 {{'vae.glu' op (C2) axis 1 must be static and even, found 5}}
  %y = vae.glu %x <silu> : (tensor<?x5xf32>) -> tensor<?x2xf32>
  return
}
// -----
func.func @upsample_c3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.upsample' op (C3) mode nearest_exact is nearest for whole factors}}
  %y = vae.upsample %x {mode = #vae.resize<nearest_exact>, scale = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @resize_c1(%x: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.resize' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.resize %x {size = array<i64: 1, 1>} : (tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @resize_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.resize' op (C2) there must be either like, or a size of two positive numbers, at most 1048576}}
  %y = vae.resize %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @resize_c3(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.resize' op (C3) align_corners goes with bilinear}}
  %y = vae.resize %x {align_corners = true, size = array<i64: 8, 8>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @pixel_shuffle_c1(%x: tensor<?x5x4xf32>) {
  // expected-error@+1 {{'vae.pixel_shuffle' op (C1) x must be [N, C, H, W], found rank 3}}
  %y = vae.pixel_shuffle %x {factor = 2 : i64} : (tensor<?x5x4xf32>) -> tensor<?x5x4xf32>
  return
}
// -----
func.func @pixel_shuffle_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pixel_shuffle' op (C2) the square of factor 3 does not divide 4 channels}}
  %y = vae.pixel_shuffle %x {factor = 3 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @pixel_unshuffle_c1(%x: tensor<?x?x8x8xf32>) {
  // expected-error@+1 {{'vae.pixel_unshuffle' op (C1) channels must be static}}
  %y = vae.pixel_unshuffle %x {factor = 2 : i64} : (tensor<?x?x8x8xf32>) -> tensor<?x?x4x4xf32>
  return
}
// -----
func.func @pixel_unshuffle_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.pixel_unshuffle' op (C2) factor 3 does not divide 8 on axis 2}}
  %y = vae.pixel_unshuffle %x {factor = 3 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @repeat_channels_c1(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'vae.repeat_channels' op (C1) x must have rank >= 2 and axis 1 be static, found [?, ?]}}
  %y = vae.repeat_channels %x {repeats = 2 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}
// -----
func.func @repeat_channels_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.repeat_channels' op (C2) repeats must be positive, at most 1048576}}
  %y = vae.repeat_channels %x {repeats = 0 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @mean_channels_c1(%x: tensor<?xf32>) {
  // expected-error@+1 {{'vae.mean_channels' op (C1) x must have rank >= 2 and axis 1 be static, found [?]}}
  %y = vae.mean_channels %x {group = 2 : i64} : (tensor<?xf32>) -> tensor<?xf32>
  return
}
// -----
func.func @mean_channels_c2(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.mean_channels' op (C2) groups of 3 do not divide 4 channels}}
  %y = vae.mean_channels %x {group = 3 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @conv3d_c1(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3x3xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C1) x must be [N, C, T, H, W], found rank 4}}
  %y = vae.conv3d %x, %w : (tensor<?x4x8x8xf32>, tensor<6x4x3x3x3xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @conv3d_c2(%x: tensor<?x4x6x8x8xf32>, %w: tensor<6x5x3x3x3xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C2) weight must be static [O, C/groups, KT, KH, KW] with C = 4 and groups = 1 dividing C and O, found [6, 5, 3, 3, 3]}}
  %y = vae.conv3d %x, %w : (tensor<?x4x6x8x8xf32>, tensor<6x5x3x3x3xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @conv3d_c3(%x: tensor<?x4x6x8x8xf32>, %w: tensor<6x4x3x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C3) bias must be static [6], found 'tensor<4xf32>'}}
  %y = vae.conv3d %x, %w bias(%b) : (tensor<?x4x6x8x8xf32>, tensor<6x4x3x3x3xf32>, tensor<4xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @conv3d_c4(%x: tensor<?x4x6x8x8xf32>, %w: tensor<6x4x3x3x3xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C4) residual must have the shape of the result, found 'tensor<?x4x6x8x8xf32>'}}
  %y = vae.conv3d %x, %w residual(%x) : (tensor<?x4x6x8x8xf32>, tensor<6x4x3x3x3xf32>, tensor<?x4x6x8x8xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @conv3d_c5(%x: tensor<?x4x6x8x8xf32>, %w: tensor<6x4x3x3x3xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C5) strides and dilations must be three positive numbers, padding six numbers >= 0, at most 1048576}}
  %y = vae.conv3d %x, %w {strides = array<i64: 1, 1>} : (tensor<?x4x6x8x8xf32>, tensor<6x4x3x3x3xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @conv3d_c6(%x: tensor<?x4x6x8x8xf32>, %w: tensor<6x4x3x3x3xf32>) {
  // expected-error@+1 {{'vae.conv3d' op (C6) the kernel covers 9 elements, the padded input has 6 on axis 2}}
  %y = vae.conv3d %x, %w {dilations = array<i64: 4, 1, 1>} : (tensor<?x4x6x8x8xf32>, tensor<6x4x3x3x3xf32>) -> tensor<?x6x4x6x6xf32>
  return
}
// -----
func.func @frames_to_batch_c1(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.frames_to_batch' op (C1) x must be [N, C, T, H, W], found rank 4}}
  %y = vae.frames_to_batch %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @batch_to_frames_c1(%x: tensor<?x4x6x8x8xf32>) {
  // expected-error@+1 {{'vae.batch_to_frames' op (C1) x must be [N*T, C, H, W], found rank 5}}
  %y = vae.batch_to_frames %x : (tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x8x8xf32>
  return
}
// -----
func.func @batch_to_frames_c2(%x: tensor<12x4x8x8xf32>, %l: tensor<2x4x5x8x8xf32>) {
  // expected-error@+1 {{'vae.batch_to_frames' op (C2) like has 10 images, x has 12}}
  %y = vae.batch_to_frames %x like(%l) : (tensor<12x4x8x8xf32>, tensor<2x4x5x8x8xf32>) -> tensor<2x4x5x8x8xf32>
  return
}
// -----
func.func @batch_to_frames_c3(%x: tensor<12x4x8x8xf32>) {
  // expected-error@+1 {{'vae.batch_to_frames' op (C3) clips of 5 frames do not divide 12 images}}
  %y = vae.batch_to_frames %x {frames = 5} : (tensor<12x4x8x8xf32>) -> tensor<2x4x5x8x8xf32>
  return
}
// -----
func.func @channels_to_frames_c1(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.channels_to_frames' op (C1) x must be [N, C, T, H, W], found rank 4}}
  %y = vae.channels_to_frames %x {factor = 2} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @frames_to_channels_c1(%x: tensor<?x4x8x8xf32>) {
  // expected-error@+1 {{'vae.frames_to_channels' op (C1) x must be [N, C, T, H, W], found rank 4}}
  %y = vae.frames_to_channels %x {factor = 2} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return
}
// -----
func.func @channels_to_frames_c2(%x: tensor<?x4x6x8x8xf32>) {
  // expected-error@+1 {{'vae.channels_to_frames' op (C2) factor 3 does not divide 4 channels}}
  %y = vae.channels_to_frames %x {factor = 3} : (tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x8x8xf32>
  return
}
// -----
func.func @frames_to_channels_c2(%x: tensor<?x4x6x8x8xf32>) {
  // expected-error@+1 {{'vae.frames_to_channels' op (C2) factor 4 does not divide 6 frames}}
  %y = vae.frames_to_channels %x {factor = 4} : (tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x8x8xf32>
  return
}
