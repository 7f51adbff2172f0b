// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models of one layer, drawn at random.
#ifndef TEST_E2E_RANDOMLAYER_H
#define TEST_E2E_RANDOMLAYER_H

#include <cstdint>
#include <string>

namespace vae::test {

/// As many seeds in a row have every type of layer at least once.
unsigned countLayerTypes();

/// The type that a seed stands for, of compiler/import/native/Format.def; or
/// "score", a whole model for what likelihood, divergence and sampling compute.
std::string getLayerType(unsigned seed);

/// The JSON of a model, a function of the seed: the layer, with any shape,
/// window, bias and padding, behind it what may be fused into it (batch_norm, a
/// sum with a second input, an activation), and before and behind that, what
/// changes the layout.
std::string writeLayerModel(unsigned seed);

} // namespace vae::test

#endif // TEST_E2E_RANDOMLAYER_H
