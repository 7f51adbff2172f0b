// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Load.h"

#include "tools/data/Error.h"
#include "tools/data/File.h"
#include "tools/data/Gzip.h"
#include "tools/data/Idx.h"
#include "tools/data/Npy.h"
#include "tools/data/Npz.h"
#include "tools/data/Png.h"

using namespace vaedata;

Array vaedata::parseArray(std::string_view bytes, const std::string &source,
                          const std::string &name,
                          const std::vector<std::string> &preferred) {
  if (isZip(bytes))
    return parseNpz(bytes, source, name, preferred);
  if (!name.empty())
    fail(source, ": expected an .npz file, of which ':", name,
         "' names an array, found other data; leave ':", name, "' out");
  if (isNpy(bytes))
    return parseNpy(bytes, source);
  if (isPng(bytes))
    return parsePng(bytes, source);
  if (isIdx(bytes))
    return parseIdx(bytes, source);
  if (isGzip(bytes)) {
    std::string content = gunzip(bytes, source);
    if (isGzip(content))
      fail(source, ": expected an array in gzip, found gzip in gzip; "
                   "decompress it once");
    return parseArray(content, source, name, preferred);
  }
  fail(source, ": expected an .npy, .npz, IDX or PNG file, found ",
       bytes.empty() ? "an empty file" : "something else",
       "; convert it, for example with numpy.save");
}

Array vaedata::loadArray(const std::string &path,
                         const std::vector<std::string> &preferred) {
  std::string file = path, name;
  size_t colon = path.rfind(':');
  if (colon != std::string::npos && colon > 0 && !fileExists(path)) {
    file = path.substr(0, colon);
    name = path.substr(colon + 1);
    if (name.empty())
      fail(path,
           ": expected the name of an array after ':', found nothing; "
           "write ",
           file, " or ", file, ":NAME");
  }
  return parseArray(readFile(file), file, name, preferred);
}
