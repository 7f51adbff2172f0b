// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_DATA_GZIP_H
#define TOOLS_DATA_GZIP_H

#include <string>
#include <string_view>

namespace vaedata {

bool isGzip(std::string_view bytes);

/// The content of a gzip file of one or more members. `source` names it in
/// messages. Fails over 4 GiB of content, and when a checksum is wrong.
std::string gunzip(std::string_view bytes, const std::string &source);

} // namespace vaedata

#endif // TOOLS_DATA_GZIP_H
