// RUN: vae-opt %s --split-input-file --verify-diagnostics

func.func @name(%x: tensor<1x8x8x8xf32>, %w: tensor<8x8x3x3xf32>) -> tensor<1x8x6x6xf32> {
  // expected-error @below {{expected 'vae.algorithm' to be "direct", "winograd2", "winograd2-stored", "winograd4", "winograd4-stored", "winograd6" or "winograd6-stored", found "fft"}}
  %0 = vae.conv2d %x, %w {vae.algorithm = "fft"} : (tensor<1x8x8x8xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x6x6xf32>
  return %0 : tensor<1x8x6x6xf32>
}

// -----

func.func @place(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // expected-error @below {{'vae.algorithm' belongs on convolutions}}
  %0 = vae.dropout %x {rate = 0.5 : f64, vae.algorithm = "direct"} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}
