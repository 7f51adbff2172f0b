// RUN: not vae-opt %s --split-input-file --vae-add-versions 2>&1 | FileCheck %s
// RUN: not vae-opt %s --split-input-file --convert-vae-to-kernel 2>&1 | FileCheck %s --check-prefix=KERNELS

// CHECK: error: 'vae.versions' is no array of dictionaries, each with a 'name' of its own
module attributes {vae.versions = 1 : i64} {}

// -----

// CHECK: error: 'vae.versions' is no array
module attributes {vae.versions = [{vector_width = 4 : i64}]} {}

// -----

// CHECK: error: 'vae.versions' is no array
module attributes {vae.versions = [{name = "a"}, {name = "a"}]} {}

// -----

module attributes {
    vae.symbols = [{minimum = 1 : i64, multiple = 1 : i64, name = "batch"}],
    vae.versions = [{name = "a"}]} {
  // KERNELS: error: the module does not describe the version 'b'
  func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.version = "b", vae.entry} {
    return %x : tensor<?x2xf32>
  }
}
