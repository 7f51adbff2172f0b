// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TEST_E2E_RANDOMZEROS_H
#define TEST_E2E_RANDOMZEROS_H

#include <random>
#include <string>

namespace vae::test {

/// A model of the native format with zeros in the weights of its layers: none,
/// all, single ones, or pieces of 16 along an axis.
std::string addZeros(const std::string &model, std::mt19937 &random);

} // namespace vae::test

#endif // TEST_E2E_RANDOMZEROS_H
