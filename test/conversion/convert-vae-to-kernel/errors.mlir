// RUN: not vae-opt %s --convert-vae-to-kernel 2>&1 | FileCheck %s

// IR is printed without its weights: what has been read back cannot be packed.
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x1xf32> attributes {vae.entry} {
    // CHECK: error: the weight 'hidden.weight' has no data; start from the model
    %w = vae.constant dense_resource<hidden.weight__0123456789abcdef> : tensor<1x2xf32>
    %y = vae.dense %x, %w : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
    return %y : tensor<?x1xf32>
  }
}
