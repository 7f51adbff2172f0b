// RUN: vae-opt %s --vae-extract-entries=entries=encode | FileCheck %s --check-prefix=ENCODE
// RUN: vae-opt %s --vae-extract-entries=entries=decode | FileCheck %s --check-prefix=DECODE
// RUN: vae-opt %s --vae-extract-entries=entries=reconstruct,encode | FileCheck %s --check-prefix=BOTH
// RUN: vae-opt %s --vae-extract-entries | FileCheck %s --check-prefix=ALL

// The number of parameters counts what is left, without running statistics
// (2 means, 2 variances).
// ENCODE: parameters = 6
// DECODE: parameters = 4
// BOTH: parameters = 10
// ALL: parameters = 99
module attributes {vae.model = {name = "m", parameters = 99 : i64}} {
  // ENCODE: func.func private @encoder
  // DECODE-NOT: @encoder
  // BOTH: func.func private @encoder
  // ALL: func.func private @encoder
  func.func private @encoder(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %w = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %mean = vae.constant dense<[0.5, 0.25]> : tensor<2xf32>
    %variance = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %scale = vae.constant dense<[1.5, 2.5]> : tensor<2xf32>
    %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    %y = vae.batch_norm %h, %mean, %variance weight(%scale) {epsilon = 1.0e-5 : f64}
        : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  // ENCODE-NOT: @decoder
  // DECODE: func.func private @decoder
  // DECODE: func.func private @head
  // BOTH: func.func private @decoder
  // BOTH: func.func private @head
  // ALL: func.func private @decoder
  // ALL: func.func private @head
  func.func private @decoder(%z: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %y = call @head(%z) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  // Called by a private function only.
  func.func private @head(%z: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %w = vae.constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
    %y = vae.dense %z, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  // ENCODE: func.func @encode(
  // DECODE-NOT: @encode
  // BOTH: func.func @encode(
  // ALL: func.func @encode(
  func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    %y = call @encoder(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  // ENCODE-NOT: func.func
  // DECODE: func.func @decode(
  // DECODE-NOT: func.func
  // BOTH-NOT: func.func @decode(
  // ALL: func.func @decode(
  func.func @decode(%z: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    %y = call @decoder(%z) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  // BOTH: func.func @reconstruct(
  // ALL: func.func @reconstruct(
  func.func @reconstruct(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    %z = call @encoder(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %y = call @decoder(%z) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
}
