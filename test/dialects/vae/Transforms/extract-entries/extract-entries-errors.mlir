// RUN: not vae-opt %s --vae-extract-entries=entries=encod 2>&1 | FileCheck %s --check-prefix=NEAR
// RUN: not vae-opt %s --vae-extract-entries=entries=decode,train 2>&1 | FileCheck %s --check-prefix=FAR
// RUN: not vae-opt %s --vae-extract-entries=entries=helper 2>&1 | FileCheck %s --check-prefix=PRIVATE
// RUN: echo 'module {}' | not vae-opt --vae-extract-entries=entries=encode 2>&1 | FileCheck %s --check-prefix=NONE

// NEAR: extract-entries-errors.mlir:{{.*}}: error: no entry point 'encod'; did you mean 'encode'?; the model has encode, decode
// FAR: error: no entry point 'train'; the model has encode, decode
// A function that is no entry point.
// PRIVATE: error: no entry point 'helper'; the model has encode, decode
// NONE: error: no entry point 'encode'; the model has none
module {
  func.func private @helper(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    return %x : tensor<?x2xf32>
  }
  func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    %y = call @helper(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
  func.func @decode(%z: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
    return %z : tensor<?x2xf32>
  }
}
