// RUN: vae-opt %s --vae-extract-entries=entries=encode --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s

// CHECK: remark: [Passed] entries-erased | Category:vae-extract-entries | Function=decode
// CHECK: remark: [Passed] entries-erased | Category:vae-extract-entries | Function=sample
// CHECK-NOT: remark
func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  return %x : tensor<?x2xf32>
}
func.func @decode(%z: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  return %z : tensor<?x2xf32>
}
func.func @sample(%z: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  return %z : tensor<?x2xf32>
}
