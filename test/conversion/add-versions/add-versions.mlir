// RUN: vae-opt %s --split-input-file --vae-add-versions | FileCheck %s
// RUN: vae-opt %s --split-input-file --vae-add-versions --convert-vae-to-kernel | FileCheck %s --check-prefix=KERNELS

// Every entry point becomes one for each version, segments too; other functions
// stay as they are.
// CHECK-LABEL: module
// CHECK: func.func @encode.plain({{.*}} {vae.name = "x"}) -> {{.*}} attributes {vae.entry, vae.version = "plain"}
// CHECK: vae.dense
// CHECK: func.func @encode.wide({{.*}} {vae.name = "x"}) -> {{.*}} attributes {vae.entry, vae.version = "wide"}
// CHECK: vae.dense
// CHECK: func.func @encode.0.1.plain({{.*}} attributes {vae.entry, vae.segment = {entry = "encode"}, vae.version = "plain"}
// CHECK: func.func @encode.0.1.wide({{.*}} attributes {vae.entry, vae.segment = {entry = "encode"}, vae.version = "wide"}
// CHECK: func.func private @other
// CHECK-NOT: func

// Each has kernels of its own, for its machine; the packed weight is one.
// KERNELS-LABEL: module
// KERNELS: func.func @encode.plain
// KERNELS: vae.constant dense_resource<[[PACKED:[^>]*]]>
// KERNELS: kernel.launch @dense_i2_o8.plain
// KERNELS: func.func @encode.wide
// KERNELS: vae.constant dense_resource<[[PACKED]]>
// KERNELS: kernel.launch @dense_i2_o8.wide
// KERNELS: func.func private @dense_i2_o8.plain.count({{.*}} attributes {vae.version = "plain"}
// KERNELS: func.func private @dense_i2_o8.plain({{.*}} attributes {kernel.body, vae.version = "plain"}
// KERNELS-NOT: vector<8xf32>
// KERNELS: vector<4xf32>
// KERNELS: func.func private @dense_i2_o8.wide({{.*}} attributes {kernel.body, vae.version = "wide"}
// KERNELS-NOT: vector<4xf32>
// KERNELS: vector<8xf32>
module attributes {
    vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}],
    vae.versions = [{name = "plain", vector_width = 4 : i64}, {name = "wide"}]} {
  func.func @encode(%x: tensor<?x2xf32> {vae.name = "x"}) -> tensor<?x8xf32> attributes {vae.entry} {
    %w = vae.constant dense<1.0> : tensor<8x2xf32>
    %y = vae.dense %x, %w : (tensor<?x2xf32>, tensor<8x2xf32>) -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
  func.func @encode.0.1(%x: tensor<?x2xf32>) -> tensor<?x2xf32>
      attributes {vae.entry, vae.segment = {entry = "encode"}} {
    return %x : tensor<?x2xf32>
  }
  func.func private @other(tensor<?x2xf32>) -> tensor<?x2xf32>
}

// -----

// Without a list there is one version, and no name changes.
// CHECK-LABEL: module
// CHECK: func.func @encode({{.*}} attributes {vae.entry}
// CHECK-NOT: func
// KERNELS-LABEL: module
// KERNELS: func.func private @copy(
module attributes {vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}]} {
  func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    return %x : tensor<?x2xf32>
  }
}
