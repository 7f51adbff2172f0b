// RUN: not vae-opt %s --vae-quantize=quantize=int4 2>&1 | FileCheck %s --check-prefix=INTEGERS
// INTEGERS: error: unknown integers 'int4'
// RUN: not vae-opt %s --vae-quantize="quantize=int8 ranges=x:0" 2>&1 | FileCheck %s --check-prefix=RANGE
// RANGE: error: a range is NAME:LOW:HIGH, found 'x:0'
// RUN: not vae-opt %s --vae-quantize="quantize=int8 ranges=x:1:0" 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: error: a range is NAME:LOW:HIGH, found 'x:1:0'
// RUN: not vae-opt %s --vae-quantize="quantize=int8 ranges=x:0:inf" 2>&1 | FileCheck %s --check-prefix=FINITE
// FINITE: error: a range is NAME:LOW:HIGH, found 'x:0:inf'
// RUN: not vae-opt %s --vae-quantize="quantize=int8 ranges=x%%4:0:1" 2>&1 | FileCheck %s --check-prefix=ESCAPE
// ESCAPE: error: a range is NAME:LOW:HIGH, found 'x%4:0:1'
// RUN: not vae-opt %s --vae-quantize="quantize=int8 layers=a=f16" 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: error: layers are [LAYER=]KIND with a kind of none, f32, mixed, bf16, int8, w8, w4; found 'a=f16'
module {}
