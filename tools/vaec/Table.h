// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAEC_TABLE_H
#define TOOLS_VAEC_TABLE_H

#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace vae::tool {

/// Rows of cells, printed in aligned columns. Columns whose title begins with
/// '>' hold numbers: they are aligned to the right.
class Table {
public:
  explicit Table(std::vector<std::string> titles) {
    for (std::string &title : titles) {
      right.push_back(title[0] == '>');
      if (right.back())
        title.erase(0, 1);
    }
    rows.push_back(std::move(titles));
  }

  void add(std::vector<std::string> cells) {
    cells.resize(right.size());
    rows.push_back(std::move(cells));
  }

  void print(llvm::raw_ostream &out) const {
    std::vector<size_t> widths(right.size());
    for (const auto &row : rows)
      for (size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], row[i].size());
    for (const auto &row : rows) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        std::string space(widths[i] - row[i].size(), ' ');
        line += (i ? "  " : "") + (right[i] ? space + row[i] : row[i] + space);
      }
      out << llvm::StringRef(line).rtrim() << "\n";
    }
    out << "\n";
  }

private:
  std::vector<bool> right;
  std::vector<std::vector<std::string>> rows;
};

/// "1,234,567".
inline std::string group(int64_t number) {
  std::string text = std::to_string(number);
  for (int64_t at = int64_t(text.size()) - 3; at > (number < 0); at -= 3)
    text.insert(at, ",");
  return text;
}

} // namespace vae::tool

#endif // TOOLS_VAEC_TABLE_H
