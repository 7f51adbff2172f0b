// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damages texts, the same way for the same seed.
#ifndef TEST_IMPORT_MUTATOR_H
#define TEST_IMPORT_MUTATOR_H

#include <iterator>
#include <random>
#include <string>
#include <utility>

namespace vae::test {

/// Changes texts in ways that break formats. The same seed gives the same
/// changes everywhere: only the engine is used, no distribution of the library.
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  std::string mutate(std::string text) {
    for (size_t i = 0, count = 1 + below(3); i < count; ++i)
      change(text);
    return text;
  }

private:
  size_t below(size_t limit) { return limit ? random() % limit : 0; }

  const char *piece() {
    static const char *const pieces[] = {
        "0",    "-1",  "1e30", "2147483648", "9223372036854775807",
        "null", "[]",  "{}",   "\"x\"",      "true",
        "\"",   "\\u", "\xff", "[[[[",       ",",
        "1.5",  "]",   "}",    "NaN",        "18446744073709551616"};
    return pieces[below(std::size(pieces))];
  }

  void change(std::string &text) {
    // Now and then long, so that parts of one object end up in another.
    size_t at = below(text.size()),
           length = below(below(4) ? 16 : text.size() / 2);
    switch (below(9)) {
    case 0:
      if (!text.empty())
        text[at] = static_cast<char>(random());
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(below(text.size()), length));
      break;
    case 3:
      text.resize(at);
      break;
    case 4:
      text.insert(at, piece());
      break;
    case 5:
    case 6:
      replaceToken(text);
      break;
    default: // another number, of the same length
      at = text.find_first_of("0123456789", at);
      if (at != std::string::npos)
        text[at] = static_cast<char>('0' + below(10));
    }
  }

  /// A number or a string somewhere in the text: its begin and its length, 0 if
  /// there is none.
  std::pair<size_t, size_t> findToken(const std::string &text) {
    size_t begin = text.find_first_of("0123456789\"", below(text.size()));
    if (begin == std::string::npos)
      return {0, 0};
    bool string = text[begin] == '"';
    size_t end = string ? text.find('"', begin + 1)
                        : text.find_first_not_of("0123456789.", begin);
    if (end == std::string::npos)
      return {0, 0};
    return {begin, end - begin + string};
  }

  /// Puts a piece, or another token, in the place of one: what is still JSON
  /// comes further than what is not.
  void replaceToken(std::string &text) {
    auto [begin, length] = findToken(text);
    auto [other, otherLength] = findToken(text);
    if (length)
      text.replace(begin, length,
                   below(2) ? piece() : text.substr(other, otherLength));
  }

  std::mt19937 random;
};

} // namespace vae::test

#endif // TEST_IMPORT_MUTATOR_H
